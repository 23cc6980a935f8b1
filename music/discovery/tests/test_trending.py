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
    def listed(**query):
        answer = api.get("/api/songs/trending", query).json()
        assert (answer["next"], answer["previous"]) == (None, None)
        return [song["title"] for song in answer["results"]]

    return listed


def played(song, listeners, at):
    Play.objects.bulk_create(Play(song=song, listener=listener, at=at) for listener in listeners)


def test_plays_of_today_weigh_more_than_plays_of_last_week(make_song, crowd, titles):
    old, new = make_song("Old"), make_song("New")
    played(old, crowd[:10], NOON - timedelta(days=6))
    played(new, crowd[:9], NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["New", "Old"]
        assert titles() == ["New", "Old"]


def test_older_plays_drop_out_of_the_week_and_the_month(make_song, crowd, titles):
    weeks_ago, long_ago = make_song("Weeks ago"), make_song("Long ago")
    played(weeks_ago, crowd, NOON - timedelta(days=12))
    played(long_ago, crowd, NOON - timedelta(days=40))
    with time_machine.travel(NOON):
        assert titles(time_range="week") == []
        assert titles(time_range="month") == ["Weeks ago"]
        assert titles(time_range="all") == ["Weeks ago", "Long ago"]


def test_a_hundred_plays_by_one_listener_weigh_less_than_three_listeners(make_song, crowd, titles):
    loved_by_one, played_by_three = make_song("Loved by one"), make_song("Played by three")
    played(loved_by_one, crowd[:1] * 100, NOON)
    played(played_by_three, crowd[:3], NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["Played by three", "Loved by one"]


def test_a_like_weighs_more_than_a_play(make_song, crowd, titles):
    make_song("Neither")
    liked, played_once = make_song("Liked"), make_song("Played once")
    with time_machine.travel(NOON):
        SongLike.objects.create(song=liked, listener=crowd[0])
        played(played_once, crowd[:1], NOON)
        assert titles(time_range="week") == ["Liked", "Played once"]


def test_a_hit_fades_without_new_plays(make_song, crowd, titles):
    hit, evergreen = make_song("Hit"), make_song("Evergreen")
    played(hit, crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == ["Hit"]
    for day in range(1, 6):
        with time_machine.travel(NOON + timedelta(days=day)):
            played(evergreen, crowd[:8], NOON + timedelta(days=day))
            last = titles(time_range="week")
    assert last == ["Evergreen", "Hit"]
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


def test_a_request_within_50_seconds_is_answered_before_the_refresh(freshly_played, clock, titles):
    clock.shift(timedelta(seconds=40))
    assert titles(time_range="week") == []
    clock.shift(timedelta(seconds=5))  # anonymous responses are cached for two
    assert titles(time_range="week") == ["Fresh"]


def test_a_304_response_does_not_delay_the_refresh(freshly_played, clock, api, titles):
    path = "/api/songs/trending?time_range=week"
    clock.shift(timedelta(seconds=49))
    assert api.get(path, HTTP_IF_NONE_MATCH="*").status_code == 304
    clock.shift(timedelta(seconds=11))
    assert titles(time_range="week") == ["Fresh"]


def test_a_refresh_that_fails_after_the_response_is_tried_again(freshly_played, clock, titles, monkeypatch, caplog):
    with monkeypatch.context() as broken:
        broken.setattr("music.discovery.trending.refresh._refresh", lambda *args: 1 / 0)
        clock.shift(timedelta(seconds=49))
        assert titles(time_range="week") == []
    assert "ZeroDivisionError" in caplog.text
    clock.shift(timedelta(seconds=11))
    assert titles(time_range="week") == ["Fresh"]


def test_plays_that_arrive_late_are_summed_on_their_own_day(make_song, crowd, titles):
    song = make_song("Late")
    with time_machine.travel(NOON, tick=False) as clock:
        assert titles(time_range="week") == []
        played(song, crowd, NOON - timedelta(days=3))
        clock.shift(timedelta(seconds=60))
        assert titles(time_range="week") == ["Late"]
    assert [appeal.day for appeal in song.appeal.all()] == [(NOON - timedelta(days=3)).date()]


def test_imported_play_counts_are_the_first_overall_scores(make_song, titles):
    from music.discovery.trending.refresh import start_trends

    songs = [make_song("Known", play_count=50), make_song("Famous", play_count=5000), make_song("Unknown")]
    start_trends(songs)
    assert titles() == ["Famous", "Known", "Unknown"]


@pytest.mark.parametrize("key", ["id", "title"])
def test_a_genre_narrows_the_list_by_id_and_by_title(make_song, crowd, titles, key):
    jazz = Genre.objects.create(title="Électro Jazz")
    played(make_song("In"), crowd, NOON)
    song = make_song("Jazzy", genre=jazz)
    played(song, crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week", genre=str(jazz.pk) if key == "id" else "electro jazz") == ["Jazzy"]
        assert titles(time_range="week", genre="polka") == []


def test_private_and_hidden_songs_are_not_listed_even_for_their_artist(api_as, artist, make_song, crowd, titles):
    for fields in ({"visibility": "private"}, {"is_hidden": True}):
        played(make_song(**fields), crowd, NOON)
    with time_machine.travel(NOON):
        assert titles(time_range="week") == []
        assert api_as(artist).get("/api/songs/trending?time_range=week").json()["results"] == []


@pytest.mark.parametrize("query", ["time_range=year", "limit=0", "limit=101", "limit=x"])
def test_an_invalid_parameter_is_named(api, db, query):
    answer = api.get(f"/api/songs/trending?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("number", [1, 100])
def test_a_list_takes_one_query(api, make_song, crowd, django_assert_num_queries, number):
    for n in range(number):
        played(make_song(f"Song {n}"), crowd[:1], NOON)
    with time_machine.travel(NOON):
        api.get("/api/songs/trending?limit=100")  # refreshes the scores
        with django_assert_num_queries(1):
            assert len(api.get("/api/songs/trending?limit=100").json()["results"]) == number
