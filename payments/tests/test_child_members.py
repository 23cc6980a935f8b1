"""For a child on somebody's plan explicit songs don't exist, on any path."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from music.catalogue.signals import songs_added
from music.models import Album, Song, SongCounts
from music.streaming.signed_urls import signed_path
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


def test_lists_and_shelves_are_without_explicit_songs(api, api_as, child, listener, artist, songs):
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


def test_an_explicit_song_is_unknown_to_a_child(api_as, child, listener, songs):
    explicit = songs[1]
    for path in ("", "/stream", signed_path(explicit.pk, listener=listener).removeprefix(f"/api/songs/{explicit.pk}")):
        assert api_as(child).get(f"/api/songs/{explicit.pk}{path}").status_code == 404, path
    for deed in ("like", "unlike", "play", "favorite"):
        assert api_as(child).post(f"/api/songs/{explicit.pk}/{deed}").status_code == 404, deed
    assert api_as(listener).get(f"/api/songs/{explicit.pk}").status_code == 200


def test_a_signed_address_of_the_child_leads_nowhere(api, child, songs):
    for song, code in zip(songs, ("no_audio", "not_found"), strict=True):
        answer = api.get(signed_path(song.pk, listener=child))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, code)


def test_what_was_liked_before_is_not_shown(api_as, child, songs):
    Membership.objects.update(is_child=False)
    api = api_as(child)
    for song in songs:
        for deed in ("like", "favorite", "play"):
            assert api.post(f"/api/songs/{song.pk}/{deed}").status_code in (200, 201)

    Membership.objects.update(is_child=True)

    for shelf in ("liked", "favorites", "recently_played"):
        assert titles(api.get(f"/api/songs/{shelf}")) == {"Song 0"}


def test_ones_own_explicit_songs_too(api_as, child, make_user, songs):
    child.role = "artist"
    child.save()
    song = Song.objects.create(title="Mine", artist=child, explicit=True)
    SongCounts.objects.create(song=song)

    assert api_as(child).get(f"/api/songs/{song.pk}").status_code == 404


def test_it_costs_no_query_of_its_own(api_as, child, listener, songs):
    def queries(user):
        client = api_as(user)
        with CaptureQueriesContext(connection) as captured:
            client.get("/api/songs")
        return len(captured)

    assert queries(child) == queries(listener)
    assert "membership" not in str(Song.objects.public().query)
