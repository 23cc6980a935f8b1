"""Simultaneous requests: no count is lost or doubled, and none is answered with a 5xx."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, connections

from conftest import PASSWORD
from music.models import ArtistCounts, ArtistFollow, FavoriteSong, Play, RecentlyPlayed, Song, SongCounts, SongLike
from music.playback.plays import record_play
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime.fromisoformat("2030-01-01T12:00:00+00:00")


@pytest.fixture(autouse=True)
def own_connections(transactional_db, tmp_path):
    """Give the threads a database to share. On SQLite it is a copy on disk: one in memory has no waiting for locks."""
    if connection.vendor != "sqlite":
        yield
        return
    copy = tmp_path / "together.sqlite3"
    connection.cursor().execute("VACUUM INTO %s", [str(copy)])
    in_memory, its_settings = connections["default"], connections.settings["default"]
    connections.settings["default"] = {**its_settings, "NAME": str(copy)}
    del connections["default"]
    yield
    connections["default"].close()
    connections.settings["default"] = its_settings
    connections["default"] = in_memory


@pytest.fixture
def crowd(make_user):
    return lambda size: [make_user(f"listener{number}") for number in range(size)]


def at_once(calls: Iterable[Callable]) -> list:
    """Start all calls together, each in a thread, and return their results in order."""
    calls = list(calls)
    start = Barrier(len(calls))

    def run(call):
        try:
            start.wait()
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def post(client, path: str) -> Callable:
    return lambda: client.post(path).status_code


def delete(client, path: str, body=None) -> Callable:
    return lambda: client.delete(path, body).status_code


def in_turn(calls: Iterable[Callable]) -> Callable:
    """Return a function that makes the calls one after the other and returns their results."""
    return lambda: [call() for call in list(calls)]


def failures(answers: list) -> list[int]:
    flat = [status for answer in answers for status in (answer if isinstance(answer, list) else [answer])]
    return [status for status in flat if status >= 500]


def nothing_to_repair(capsys) -> bool:
    call_command("recount", check=True)  # exits with 1 where a counter and its rows differ
    return capsys.readouterr().out == "nothing to repair\n"


def test_fifty_simultaneous_likes_are_all_counted(api_as, crowd, song, capsys):
    clients = [api_as(listener) for listener in crowd(50)]

    assert set(at_once(post(client, f"/api/songs/{song.pk}/like") for client in clients)) == {200}

    assert SongCounts.objects.get(song=song).like_count == SongLike.objects.count() == 50
    assert nothing_to_repair(capsys)


def test_simultaneous_likes_and_unlikes_leave_the_count_equal_to_the_rows(api_as, crowd, song, capsys):
    dice = random.Random(3)

    def many(client):
        return in_turn(post(client, f"/api/songs/{song.pk}/{dice.choice(['like', 'unlike'])}") for _ in range(4))

    # Ten listeners with five devices each, so that a like meets an unlike of the same listener.
    clients = [api_as(listener) for listener in crowd(10) for _ in range(5)]
    answers = at_once([many(client) for client in clients])

    assert all(answer == [200] * 4 for answer in answers)
    assert SongCounts.objects.get(song=song).like_count == SongLike.objects.count()
    assert nothing_to_repair(capsys)


def test_simultaneous_follows_and_unfollows_leave_the_count_equal_to_the_rows(api_as, crowd, artist, capsys):
    path, dice = f"/api/artists/{artist.pk}/follow", random.Random(4)

    def many(client):
        return in_turn(dice.choice([post, delete])(client, path) for _ in range(4))

    clients = [api_as(listener) for listener in crowd(8) for _ in range(4)]
    answers = at_once([many(client) for client in clients])

    assert {status for answer in answers for status in answer} <= {200, 201, 204}
    assert ArtistCounts.objects.get(artist=artist).follower_count == ArtistFollow.objects.count()
    assert nothing_to_repair(capsys)


def test_one_of_many_simultaneous_favorites_is_answered_with_201(api_as, listener, song):
    clients = [api_as(listener) for _ in range(12)]

    answers = at_once(post(client, f"/api/songs/{song.pk}/favorite") for client in clients)

    assert sorted(answers) == [200] * 11 + [201]
    assert FavoriteSong.objects.count() == 1


def test_simultaneous_plays_of_one_listener_count_once(api_as, listener, song, capsys):
    clients = [api_as(listener) for _ in range(16)]

    assert set(at_once(post(client, f"/api/songs/{song.pk}/play") for client in clients)) == {200}

    assert SongCounts.objects.get(song=song).play_count == Play.objects.count() == 1
    assert RecentlyPlayed.objects.count() == 1
    assert nothing_to_repair(capsys)


def test_two_of_ten_rounds_of_plays_in_31_seconds_count(api_as, crowd, make_song, capsys):
    songs = [make_song(f"Song {number}") for number in range(20)]
    listeners = crowd(20)

    def round_of(listener):
        # Each listener in another order, so that the plays meet in as many ways as possible.
        order = random.sample(songs, len(songs))
        return in_turn(partial(record_play, song, listener=listener) for song in order)

    with time_machine.travel(START, tick=False) as clock:
        for number in range(10):
            clock.move_to(START + timedelta(seconds=31) * number / 9)
            counted = at_once([round_of(listener) for listener in listeners])
            assert counted == [[number in (0, 9)] * 20] * 20

    # The first round counts, and the last, 31 s later. All others are less than 30 s after the first.
    assert set(SongCounts.objects.values_list("play_count", flat=True)) == {40}
    assert Play.objects.count() == 800
    assert RecentlyPlayed.objects.count() == 400
    assert nothing_to_repair(capsys)


def test_accounts_closed_during_their_likes_plays_and_follows_leave_the_counts_right(
    api_as, crowd, make_song, artist, other_artist, capsys
):
    songs, leaving, dice = [make_song(f"Song {number}") for number in range(6)], crowd(12), random.Random(5)
    actions = [f"/api/songs/{song.pk}/{action}" for song in songs for action in ("like", "unlike", "play", "favorite")]
    follows = [f"/api/artists/{each.pk}/follow" for each in (artist, other_artist)]

    def busy(client):
        client.raise_request_exception = False
        chosen = [post(client, path) for path in dice.sample(actions, 10) + follows]
        return in_turn(dice.sample([*chosen, *(delete(client, path) for path in follows)], 14))

    for listener in leaving:
        busy(api_as(listener))()  # so that closing the account has something to delete
    clients = [api_as(listener) for listener in leaving]
    closing = [delete(api_as(listener), "/api/profile", {"password": PASSWORD}) for listener in leaving]
    answers = at_once([*map(busy, clients), *closing])

    assert failures(answers) == []
    assert answers[len(clients) :] == [204] * len(closing)
    assert not SongLike.objects.exists()
    assert not Play.objects.exists()
    assert not ArtistFollow.objects.exists()
    assert set(SongCounts.objects.values_list("play_count", "like_count")) == {(0, 0)}
    assert nothing_to_repair(capsys)


def test_songs_can_be_deleted_during_likes_plays_and_favorites(api_as, crowd, make_song, artist, capsys):
    songs, listeners = [make_song(f"Song {number}") for number in range(6)], crowd(10)

    def busy(client):
        client.raise_request_exception = False
        actions = ("like", "play", "favorite", "unlike")
        paths = [f"/api/songs/{song.pk}/{action}" for song in songs for action in actions]
        return in_turn(post(client, path) for path in random.sample(paths, len(paths)))

    clearing = api_as(artist)
    clearing.raise_request_exception = False
    going = in_turn(delete(clearing, f"/api/songs/{song.pk}") for song in songs)
    answers = at_once([*(busy(api_as(listener)) for listener in listeners), going])

    assert failures(answers) == []
    assert answers[-1] == [204] * 6
    assert not Song.objects.exists()
    assert not SongLike.objects.exists()
    assert not RecentlyPlayed.objects.exists()
    assert nothing_to_repair(capsys)


def test_an_artists_account_can_be_closed_during_follows(api_as, crowd, artist, make_song, capsys):
    make_song()
    path = f"/api/artists/{artist.pk}/follow"

    def busy(client):
        client.raise_request_exception = False
        return in_turn([post(client, path), delete(client, path), post(client, path)])

    leaving = api_as(artist)
    leaving.raise_request_exception = False
    answers = at_once(
        [
            *(busy(api_as(listener)) for listener in crowd(10)),
            delete(leaving, "/api/profile", {"password": PASSWORD}),
        ]
    )

    assert failures(answers) == []
    assert answers[-1] == 204
    assert not User.objects.filter(pk=artist.pk).exists()
    assert not ArtistFollow.objects.exists()
    assert nothing_to_repair(capsys)
