from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from music.models import Genre, Play, SongLike
from users.models import User

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def crowd(db):
    return User.objects.bulk_create(
        User(username=f"fan{n}", email=f"fan{n}@example.com", password="!") for n in range(20)
    )


@pytest.fixture
def titles(api):
    def shelf(**query):
        answer = api.get("/api/songs/trending", query).json()
        assert (answer["next"], answer["previous"]) == (None, None)
        return [song["title"] for song in answer["results"]]

    return shelf


def played(song, listeners, at):
    Play.objects.bulk_create(Play(song=song, listener=listener, at=at) for listener in listeners)


def test_what_many_play_now_comes_before_what_many_played_last_week(make_song, crowd, titles):
    old, new = make_song("Old"), make_song("New")
    played(old, crowd[:10], NOON - timedelta(days=6))
    played(new, crowd[:9], NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["New", "Old"]
        assert titles() == ["New", "Old"]


def test_a_week_and_a_month_end(make_song, crowd, titles):
    weeks_ago, long_ago = make_song("Weeks ago"), make_song("Long ago")
    played(weeks_ago, crowd, NOON - timedelta(days=12))
    played(long_ago, crowd, NOON - timedelta(days=40))
    with time_machine.travel(NOON):
        assert titles(time_range="week") == []
        assert titles(time_range="month") == ["Weeks ago"]
        assert titles(time_range="all") == ["Weeks ago", "Long ago"]


def test_one_listeners_hundred_plays_weigh_like_a_few(make_song, crowd, titles):
    loved_by_one, played_by_three = make_song("Loved by one"), make_song("Played by three")
    played(loved_by_one, crowd[:1] * 100, NOON)
    played(played_by_three, crowd[:3], NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["Played by three", "Loved by one"]


def test_likes_weigh_in(make_song, crowd, titles):
    make_song("Neither")
    liked, played_once = make_song("Liked"), make_song("Played once")
    with time_machine.travel(NOON):
        SongLike.objects.create(song=liked, listener=crowd[0])
        played(played_once, crowd[:1], NOON)
        assert titles(time_range="week") == ["Liked", "Played once"]


def test_a_hit_of_last_week_fades_without_anybody_doing_anything(make_song, crowd, titles):
    hit, evergreen = make_song("Hit"), make_song("Evergreen")
    played(hit, crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["Hit"]
    for day in range(1, 6):
        with time_machine.travel(NOON + timedelta(days=day)):
            played(evergreen, crowd[:8], NOON + timedelta(days=day))
            shelf = titles(time_range="week")
    assert shelf == ["Evergreen", "Hit"]
    with time_machine.travel(NOON + timedelta(days=8)):
        assert titles(time_range="week") == ["Evergreen"]


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def freshly_played(clock, api_as, make_song, listener, titles):
    """A song that was played right after the scores were refreshed."""
    song = make_song("Fresh")
    assert titles(time_range="week") == []
    api_as(listener).post(f"/api/songs/{song.pk}/play")
    return song


def test_a_play_shows_within_a_minute(freshly_played, clock, titles):
    clock.shift(timedelta(seconds=60))
    assert titles(time_range="week") == ["Fresh"]


def test_whoever_asks_while_the_scores_will_do_waits_for_no_refresh(freshly_played, clock, titles):
    clock.shift(timedelta(seconds=40))
    assert titles(time_range="week") == []
    clock.shift(timedelta(seconds=5))  # lists are kept for two
    assert titles(time_range="week") == ["Fresh"]


def test_a_client_that_has_the_answer_already_puts_nothing_off(freshly_played, clock, api, titles):
    path = "/api/songs/trending?time_range=week"
    clock.shift(timedelta(seconds=49))
    assert api.get(path, HTTP_IF_NONE_MATCH="*").status_code == 304
    clock.shift(timedelta(seconds=11))
    assert titles(time_range="week") == ["Fresh"]


def test_a_refresh_that_fails_afterwards_spoils_no_answer(freshly_played, clock, titles, monkeypatch, caplog):
    with monkeypatch.context() as broken:
        broken.setattr("music.discovery.trending.refresh._refresh", lambda *args: 1 / 0)
        clock.shift(timedelta(seconds=49))
        assert titles(time_range="week") == []
    assert "ZeroDivisionError" in caplog.text
    clock.shift(timedelta(seconds=11))
    assert titles(time_range="week") == ["Fresh"]


def test_events_that_come_late_are_summed_on_their_own_day(make_song, crowd, titles):
    song = make_song("Late")
    with time_machine.travel(NOON, tick=False) as clock:
        assert titles(time_range="week") == []
        played(song, crowd, NOON - timedelta(days=3))
        clock.shift(timedelta(seconds=60))
        assert titles(time_range="week") == ["Late"]
    assert [appeal.day for appeal in song.appeal.all()] == [(NOON - timedelta(days=3)).date()]


def test_imported_counts_are_where_the_overall_shelf_starts(make_song, titles):
    from music.discovery.trending.refresh import start_trends

    songs = [make_song("Known", play_count=50), make_song("Famous", play_count=5000), make_song("Unknown")]
    start_trends(songs)
    assert titles() == ["Famous", "Known", "Unknown"]


@pytest.mark.parametrize("key", ["id", "title"])
def test_a_genre_narrows(make_song, crowd, titles, key):
    jazz = Genre.objects.create(title="Électro Jazz")
    played(make_song("In"), crowd, NOON)
    song = make_song("Jazzy", genre=jazz)
    played(song, crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week", genre=str(jazz.pk) if key == "id" else "electro jazz") == ["Jazzy"]
        assert titles(time_range="week", genre="polka") == []


def test_private_and_hidden_songs_are_in_no_shelf_not_even_their_owners(api_as, artist, make_song, crowd, titles):
    for fields in ({"visibility": "private"}, {"is_hidden": True}):
        played(make_song(**fields), crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == []
        assert api_as(artist).get("/api/songs/trending?time_range=week").json()["results"] == []


@pytest.mark.parametrize("query", ["time_range=year", "limit=0", "limit=101", "limit=x"])
def test_a_bad_value_is_named(api, db, query):
    answer = api.get(f"/api/songs/trending?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("number", [1, 100])
def test_a_shelf_is_one_query(api, make_song, crowd, django_assert_num_queries, number):
    for n in range(number):
        played(make_song(f"Song {n}"), crowd[:1], NOON)
    with time_machine.travel(NOON):
        api.get("/api/songs/trending?limit=100")  # sums what is new, as the first one after a while does
        with django_assert_num_queries(1):
            assert len(api.get("/api/songs/trending?limit=100").json()["results"]) == number
