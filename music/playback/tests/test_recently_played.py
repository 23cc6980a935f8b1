from datetime import datetime, timedelta

import pytest
import time_machine

from music.models import Play, RecentlyPlayed, SongCounts

NOON = datetime.fromisoformat("2030-01-01T12:00:00+00:00")


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def client(clock, api_as, listener):
    return api_as(listener)


def play(client, song):
    return client.post(f"/api/songs/{song.pk}/play").json()["play_count"]


def titles(client):
    return [row["title"] for row in client.get("/api/songs/recently_played").json()["results"]]


def test_each_song_is_listed_once_last_played_first(clock, client, make_song):
    songs = [make_song(title) for title in ("One", "Two", "Three")]
    for song in (*songs, songs[0]):
        play(client, song)
        clock.shift(timedelta(minutes=1))

    rows = client.get("/api/songs/recently_played").json()["results"]

    assert [(row["title"], row["played_at"]) for row in rows] == [
        ("One", "2030-01-01T12:03:00Z"),
        ("Three", "2030-01-01T12:02:00Z"),
        ("Two", "2030-01-01T12:01:00Z"),
    ]


def test_a_repeat_that_does_not_count_still_moves_the_song_to_the_front(clock, client, make_song):
    first, second = make_song("First"), make_song("Second")
    play(client, first)
    clock.shift(timedelta(seconds=1))
    play(client, second)
    clock.shift(timedelta(seconds=1))

    assert play(client, first) == 1
    assert titles(client) == ["First", "Second"]


def test_the_list_comes_in_pages(clock, client, make_song):
    for number in range(5):
        play(client, make_song(f"Song {number}"))
        clock.shift(timedelta(microseconds=1))

    page = client.get("/api/songs/recently_played?limit=3").json()
    rest = client.get(page["next"]).json()

    found = [row["title"] for row in page["results"] + rest["results"]]
    assert found == ["Song 4", "Song 3", "Song 2", "Song 1", "Song 0"]
    assert rest["next"] is None


def test_clearing_empties_the_list_and_keeps_the_counts(clock, client, make_song):
    songs = [make_song(f"Song {number}") for number in range(3)]
    for song in songs:
        play(client, song)
        clock.shift(timedelta(seconds=20))

    assert client.delete("/api/songs/recently_played").status_code == 204

    assert titles(client) == []
    assert set(SongCounts.objects.values_list("play_count", flat=True)) == {1}
    assert Play.objects.count() == 3
    assert client.delete("/api/songs/recently_played").status_code == 204


def test_clearing_does_not_make_a_repeat_within_30_seconds_count(clock, client, song):
    play(client, song)
    clock.shift(timedelta(seconds=10))
    client.delete("/api/songs/recently_played")

    clock.shift(timedelta(seconds=19))
    assert play(client, song) == 1
    clock.shift(timedelta(seconds=1))
    assert play(client, song) == 2


def test_songs_played_after_clearing_are_listed_again(clock, client, make_song):
    before, again = make_song("Before"), make_song("Again")
    for song in (before, again):
        play(client, song)
    client.delete("/api/songs/recently_played")
    clock.shift(timedelta(seconds=1))
    play(client, again)

    assert titles(client) == ["Again"]


def test_clearing_leaves_other_listeners_lists_alone(clock, client, api_as, artist, song):
    play(client, song)
    play(api_as(artist), song)

    client.delete("/api/songs/recently_played")

    assert titles(api_as(artist)) == [song.title]


def test_clearing_deletes_rows_older_than_30_seconds(clock, client, song):
    play(client, song)
    clock.shift(timedelta(seconds=30))
    client.delete("/api/songs/recently_played")

    assert not RecentlyPlayed.objects.exists()


def test_a_deleted_song_leaves_the_list(client, song, make_song):
    for played in (song, make_song("Another")):
        play(client, played)

    song.delete()

    assert titles(client) == ["Another"]


@pytest.mark.django_db
def test_recently_played_needs_authentication(api):
    assert api.get("/api/songs/recently_played").status_code == 401
    assert api.delete("/api/songs/recently_played").status_code == 401
