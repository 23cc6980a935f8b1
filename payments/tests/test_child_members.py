"""Children on a Family plan, for whom explicit songs don't exist at any endpoint."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from music.catalogue.signals import songs_added
from music.models import Album, Song, SongCounts
from music.streaming.signed_urls import signed_path
from music.tests.samples import audio_sample
from music.tests.uploads import upload
from payments.models import Membership, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def child(plans, make_user):
    owner, child = make_user("parent"), make_user("child")
    now = timezone.now()
    plan = Subscription.objects.create(
        user=owner, plan=plans.family, stripe_id="sub_1", status="active", started_at=now
    )
    Membership.objects.create(subscription=plan, user=child, email=child.email, is_child=True, joined_at=now)
    return child


@pytest.fixture
def songs(artist):
    album = Album.objects.create(title="An album", artist=artist)
    songs = [Song.objects.create(title=f"Song {n}", artist=artist, album=album, explicit=n == 1) for n in range(2)]
    for song in songs:
        SongCounts.objects.create(song=song)
    songs_added.send(Song, songs=songs)
    return songs


def titles(answer):
    assert answer.status_code == 200
    return {song["title"] for song in answer.json()["results"]}


def test_lists_leave_out_explicit_songs_for_a_child(api, api_as, child, listener, artist, songs):
    album = songs[0].album
    for path in (
        "songs",
        "songs?explicit=true",
        f"albums/{album.pk}/songs",
        f"artists/{artist.pk}/songs",
        "songs/trending",
        "songs/random",
        "songs/recommendations",
    ):
        url = f"/api/{path}"
        assert "Song 1" in titles(api.get(url))
        assert "Song 1" in titles(api_as(listener).get(url))
        assert "Song 1" not in titles(api_as(child).get(url)), path
    found = api_as(child).get("/api/songs/search?q=song").json()["songs"]
    assert [song["title"] for song in found] == ["Song 0"]
    top = api_as(child).get(f"/api/artists/{artist.pk}/profile").json()["top_songs"]
    assert [song["title"] for song in top] == ["Song 0"]


def test_an_explicit_song_is_404_for_a_child(api_as, child, listener, songs):
    explicit = songs[1]
    for path in ("", "/stream", signed_path(explicit.pk, listener=listener).removeprefix(f"/api/songs/{explicit.pk}")):
        assert api_as(child).get(f"/api/songs/{explicit.pk}{path}").status_code == 404, path
    for action in ("like", "unlike", "play", "favorite"):
        assert api_as(child).post(f"/api/songs/{explicit.pk}/{action}").status_code == 404, action
    assert api_as(listener).get(f"/api/songs/{explicit.pk}").status_code == 200


def test_a_signed_address_of_a_child_gives_no_explicit_song(api, child, songs):
    for song, code in zip(songs, ("no_audio", "not_found"), strict=True):
        answer = api.get(signed_path(song.pk, listener=child))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, code)


def test_explicit_songs_liked_before_are_hidden_from_a_child(api_as, child, songs):
    Membership.objects.update(is_child=False)
    api = api_as(child)
    for song in songs:
        for action, status in (("like", 200), ("favorite", 201), ("play", 200)):
            assert api.post(f"/api/songs/{song.pk}/{action}").status_code == status

    Membership.objects.update(is_child=True)

    for shelf in ("liked", "favorites", "recently_played"):
        assert titles(api.get(f"/api/songs/{shelf}")) == {"Song 0"}


def test_a_childs_own_explicit_songs_are_hidden_too(api_as, child, make_user, songs):
    child.role = "artist"
    child.save()
    song = Song.objects.create(title="Mine", artist=child, explicit=True)
    SongCounts.objects.create(song=song)

    assert api_as(child).get(f"/api/songs/{song.pk}").status_code == 404


def test_hiding_explicit_songs_costs_no_extra_query(api_as, child, listener, songs):
    def queries(user):
        client = api_as(user)
        with CaptureQueriesContext(connection) as captured:
            client.get("/api/songs")
        return len(captured)

    assert queries(child) == queries(listener)
    assert "membership" not in str(Song.objects.public().query)


@pytest.fixture
def only_explicit(artist):
    album = Album.objects.create(title="Nothing for children", artist=artist)
    song = Song.objects.create(title="Rude", artist=artist, album=album, explicit=True, duration=50)
    SongCounts.objects.create(song=song, play_count=5, like_count=4)
    songs_added.send(Song, songs=[song])
    return album


def counts(answer):
    return {name: answer.json()[name] for name in ("song_count", "duration")}


def test_album_totals_leave_out_explicit_songs_for_a_child(api, api_as, child, listener, artist, songs):
    album = songs[0].album
    for song, seconds in zip(songs, (30, 50), strict=True):
        Song.objects.filter(pk=song.pk).update(duration=seconds)
    path = f"/api/albums/{album.pk}"
    api_as(child).post(f"{path}/favorite")

    for client in (api, api_as(listener), api_as(artist)):
        assert counts(client.get(path)) == {"song_count": 2, "duration": 80}
    assert counts(api_as(child).get(path)) == {"song_count": 1, "duration": 30}
    for shelf in ("albums", "albums/favorites", "albums?search=album"):
        [shown] = api_as(child).get(f"/api/{shelf}").json()["results"]
        assert (shown["song_count"], shown["duration"]) == (1, 30), shelf
    [found] = api_as(child).get("/api/songs/search?q=album").json()["albums"]
    assert (found["song_count"], found["duration"]) == (1, 30)


def test_an_album_of_explicit_songs_only_is_404_for_a_child(api, api_as, child, listener, only_explicit):
    path = f"/api/albums/{only_explicit.pk}"
    Membership.objects.update(is_child=False)
    api_as(child).post(f"{path}/favorite")
    Membership.objects.update(is_child=True)

    for client in (api, api_as(listener)):
        assert client.get(path).status_code == 200
        assert titles(client.get("/api/albums")) == {"Nothing for children"}
    for url in (path, f"{path}/songs"):
        assert api_as(child).get(url).status_code == 404
    assert api_as(child).post(f"{path}/favorite").status_code == 404
    for shelf in ("albums", "albums/favorites", "albums?search=nothing", f"albums?artist={only_explicit.artist_id}"):
        assert titles(api_as(child).get(f"/api/{shelf}")) == set(), shelf
    assert api_as(child).get("/api/songs/search?q=nothing").json()["albums"] == []


def test_an_empty_album_is_shown_to_a_child(api_as, child, artist):
    album = Album.objects.create(title="To come", artist=artist)

    assert counts(api_as(child).get(f"/api/albums/{album.pk}")) == {"song_count": 0, "duration": 0}


def test_artist_counts_leave_out_explicit_songs_for_a_child(api, api_as, child, listener, artist, songs, only_explicit):
    SongCounts.objects.filter(song__in=songs).update(play_count=10, like_count=1)
    path = f"/api/artists/{artist.pk}"
    api_as(child).post(f"{path}/follow")

    for client, expected in ((api, (3, 2, 25, 6)), (api_as(listener), (3, 2, 25, 6)), (api_as(child), (1, 1, 10, 1))):
        profile = client.get(f"{path}/profile").json()
        shown = profile["song_count"], profile["album_count"], profile["total_plays"], profile["total_likes"]
        assert shown == expected
        assert client.get(path).json()["song_count"] == expected[0]
        found = client.get("/api/songs/search?q=artist&type=artist").json()["artists"]
        assert [each["song_count"] for each in found] == [expected[0]]
        [listed] = client.get("/api/artists?search=artist").json()["results"]
        assert (listed["song_count"], listed["album_count"]) == expected[:2]
    [followed] = api_as(child).get("/api/artists/following").json()["results"]
    assert followed["song_count"] == 1


def test_radio_similar_songs_and_recommendation_reasons_leave_out_explicit_songs(
    api_as, child, artist, songs, only_explicit
):
    client, explicit = api_as(child), songs[1]
    Membership.objects.update(is_child=False)
    for action in ("like", "play"):
        client.post(f"/api/songs/{explicit.pk}/{action}")
    Membership.objects.update(is_child=True)

    assert client.get(f"/api/songs/{explicit.pk}/similar").status_code == 404
    assert client.get(f"/api/songs/radio?seed_song={explicit.pk}").status_code == 404
    for path in (
        f"songs/{songs[0].pk}/similar",
        f"songs/radio?seed_song={songs[0].pk}",
        f"songs/radio?seed_artist={artist.pk}",
        "songs/recommendations",
        f"songs?album={only_explicit.pk}",
        "songs/trending?time_range=week",
    ):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 200
        for name in ("Song 1", "Rude", str(explicit.pk)):
            assert name not in answer.content.decode(), path


@pytest.mark.parametrize("path", ["stream", "download", "waveform", "skip"])
def test_a_child_cannot_stream_or_skip_an_explicit_song(api_as, child, songs, path):
    client = api_as(child)
    ask = client.post if path == "skip" else client.get

    assert ask(f"/api/songs/{songs[1].pk}/{path}").status_code == 404


def test_the_rules_for_a_child_hold_for_browser_sessions(client, child, songs):
    client.force_login(child)

    assert titles(client.get("/api/songs")) == {"Song 0"}
    assert client.get(f"/api/songs/{songs[1].pk}").status_code == 404


def test_a_child_cannot_publish_explicit_songs(api_as, child):
    child.role = "artist"
    child.save()
    client = api_as(child)

    refused = upload(client, audio_sample("wav", 1), title="Mine", explicit="true")
    song = upload(client, audio_sample("wav", 1), title="Mine").json()
    changed = client.patch(f"/api/songs/{song['id']}", {"explicit": True})

    for answer in (refused, changed):
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["attr"], error["code"]) == (400, "explicit", "child_account")
    assert [(kept.title, kept.explicit) for kept in Song.objects.all()] == [("Mine", False)]


@pytest.mark.parametrize("path", ["albums", "artists", "artists/{artist}/profile"])
def test_counts_for_a_child_cost_no_extra_query(api_as, child, listener, artist, songs, path):
    def queries(user):
        client = api_as(user)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/{path.format(artist=artist.pk)}").status_code == 200
        return len(captured)

    assert queries(child) == queries(listener)
