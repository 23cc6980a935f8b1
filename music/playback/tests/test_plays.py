from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.urls import reverse

from music.api.songs import SongViewSet
from music.models import Play, RecentlyPlayed, Song, SongCounts
from music.tests.samples import audio_sample

NOON = datetime.fromisoformat("2030-01-01T12:00:00+00:00")


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def audible(song):
    song.audio_file.save("audio.mp3", ContentFile(audio_sample("mp3")))
    song.audio_format = "mp3"
    song.save()
    return song


def play(client, song):
    return client.post(f"/api/songs/{song.pk}/play")


def test_a_play_is_counted_and_stored_with_listener_song_and_time(clock, api_as, listener, song):
    answer = play(api_as(listener), song)

    assert (answer.status_code, answer.data["play_count"]) == (200, 1)
    event = Play.objects.get()
    assert (event.listener, event.song, event.at) == (listener, song, NOON)


def test_the_stream_url_of_a_play_needs_no_header(clock, api, api_as, listener, audible):
    answer = play(api_as(listener), audible).data

    assert set(answer) == {"play_count", "stream_url", "quality", "expires_at", "ad"}
    assert (answer["quality"], answer["ad"]) == ("medium", None)
    assert answer["expires_at"] == "2030-01-01T18:00:00Z"
    stream = api.get(answer["stream_url"])
    assert stream.status_code == 200
    assert b"".join(stream.streaming_content) == audio_sample("mp3")


def test_the_stream_url_of_a_play_stops_working_at_expires_at(clock, api, api_as, listener, audible):
    url = play(api_as(listener), audible).data["stream_url"]
    clock.shift(timedelta(hours=6, seconds=1))

    assert api.get(url).status_code == 403


def test_a_play_of_a_song_without_audio_is_counted(api_as, listener, song):
    answer = play(api_as(listener), song)

    assert answer.status_code == 200
    assert (answer.data["stream_url"], answer.data["expires_at"]) == (None, None)
    assert answer.data["play_count"] == Play.objects.count() == 1


@pytest.mark.parametrize(("seconds", "count"), [(0, 1), (29.999, 1), (30, 2), (31, 2)])
def test_a_repeat_counts_from_30_seconds_on(clock, api_as, listener, song, seconds, count):
    client = api_as(listener)
    play(client, song)
    clock.shift(timedelta(seconds=seconds))

    assert play(client, song).data["play_count"] == count
    assert SongCounts.objects.get(song=song).play_count == Play.objects.count() == count


def test_the_30_seconds_begin_with_the_last_counted_play(clock, api_as, listener, song):
    client = api_as(listener)
    counts = []
    for _ in range(4):  # at 0, 20, 40 and 60 seconds
        counts.append(play(client, song).data["play_count"])
        clock.shift(timedelta(seconds=20))

    assert counts == [1, 1, 2, 2]


def test_plays_of_other_songs_and_by_other_listeners_count_at_once(clock, api_as, listener, artist, song, make_song):
    another = make_song("Another")

    play(api_as(listener), song)
    play(api_as(listener), another)
    play(api_as(artist), song)

    assert SongCounts.objects.get(song=song).play_count == 2
    assert SongCounts.objects.get(song=another).play_count == 1


def test_plays_are_added_to_the_imported_number(api_as, listener, make_song):
    assert play(api_as(listener), make_song(play_count=4053)).data["play_count"] == 4054


def test_a_play_is_counted_in_list_detail_and_profile(api, api_as, listener, song):
    play(api_as(listener), song)

    assert api.get(f"/api/songs/{song.pk}").data["play_count"] == 1
    assert api.get("/api/songs").data["results"][0]["play_count"] == 1
    assert api.get(f"/api/artists/{song.artist.pk}/profile").data["total_plays"] == 1


def test_a_play_does_not_change_updated_at(api_as, listener, song):
    play(api_as(listener), song)

    assert Song.objects.get(pk=song.pk).updated_at == song.updated_at


def test_playing_needs_authentication(api, song):
    answer = play(api, song)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.data["errors"][0]["code"] == "not_authenticated"
    assert not Play.objects.exists()


def test_invisible_songs_cannot_be_played(api_as, listener, private_song, make_song):
    hidden = make_song(is_hidden=True)

    assert play(api_as(listener), private_song).status_code == 404
    assert play(api_as(listener), hidden).status_code == 404
    assert not Play.objects.exists()
    assert not RecentlyPlayed.objects.exists()


def test_artists_can_play_their_own_private_songs(api_as, artist, private_song):
    assert play(api_as(artist), private_song).data["play_count"] == 1


def test_play_does_not_support_get(api_as, listener, song):
    assert api_as(listener).get(f"/api/songs/{song.pk}/play").status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["play", "like", "unlike", "favorite"])
def test_a_song_deleted_during_the_request_is_a_404(api_as, listener, song, monkeypatch, path):
    look_up = SongViewSet.get_object

    def looked_up_and_gone(self):
        found = look_up(self)
        song.delete()
        return found

    monkeypatch.setattr(SongViewSet, "get_object", looked_up_and_gone)

    assert api_as(listener).post(f"/api/songs/{song.pk}/{path}").status_code == 404
    assert not RecentlyPlayed.objects.exists()


def test_closing_an_account_deletes_its_plays_and_lowers_the_counts(clock, api_as, listener, artist, song, make_song):
    another, client = make_song("Another", play_count=100), api_as(listener)
    for _ in range(3):
        play(client, song)
        play(client, another)
        clock.shift(timedelta(seconds=30))
    play(api_as(artist), song)

    listener.delete_account()

    assert SongCounts.objects.get(song=song).play_count == 1
    assert SongCounts.objects.get(song=another).play_count == 100
    assert Play.objects.get().listener == artist


def test_counts_are_lowered_when_an_admin_deletes_several_accounts(admin, api_as, make_user, song):
    leaving = [make_user(f"leaving{number}") for number in range(12)]
    artist_path = f"/api/artists/{song.artist.pk}/follow"
    for person in leaving:
        client = api_as(person)
        play(client, song)
        client.post(f"/api/songs/{song.pk}/like")
        client.post(artist_path)
    staying = api_as(make_user("staying"))
    play(staying, song)
    staying.post(f"/api/songs/{song.pk}/like")
    staying.post(artist_path)

    form = {"action": "delete_selected", "_selected_action": [p.pk for p in leaving], "post": "yes"}
    assert admin.post(reverse("admin:users_user_changelist"), form).status_code == 302

    counts = SongCounts.objects.get(song=song)
    assert (counts.play_count, counts.like_count) == (1, 1)
    song.artist.counts.refresh_from_db()
    assert song.artist.counts.follower_count == 1


def test_totals_are_lowered_when_an_admin_deletes_songs(admin, api, api_as, listener, artist, make_song):
    songs, client = [make_song(f"Song {number}") for number in range(3)], api_as(listener)
    for song in songs:
        play(client, song)
        client.post(f"/api/songs/{song.pk}/like")

    form = {"action": "delete_selected", "_selected_action": [s.pk for s in songs[:2]], "post": "yes"}
    assert admin.post(reverse("admin:music_song_changelist"), form).status_code == 302

    profile = api.get(f"/api/artists/{artist.pk}/profile").data
    assert (profile["song_count"], profile["total_plays"], profile["total_likes"]) == (1, 1, 1)
    assert Play.objects.count() == RecentlyPlayed.objects.count() == 1
