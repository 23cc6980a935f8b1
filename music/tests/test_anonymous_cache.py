"""Lists for anonymous callers are cached for two seconds; personal answers never are."""

import pytest
import time_machine

from music.models import Song

LIST = "/api/songs"


@pytest.fixture(autouse=True)
def two_seconds(settings):
    settings.ANONYMOUS_CACHE_SECONDS = 2


def titles(answer):
    return [song["title"] for song in answer.json()["results"]]


def hide(song):
    Song.objects.filter(pk=song.pk).update(visibility="private")


def test_an_anonymous_list_is_cached_for_two_seconds(api, make_song):
    with time_machine.travel("2030-01-01T12:00:00Z", tick=False) as clock:
        song = make_song("Here")
        first = api.get(LIST)
        hide(song)
        clock.shift(1)
        again = api.get(LIST)
        assert (titles(first), titles(again)) == (["Here"], ["Here"])
        assert again["Cache-Control"] == first["Cache-Control"] == "public, max-age=2"
        assert (again["ETag"], again["Age"]) == (first["ETag"], "1")
        assert api.get(LIST, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
        clock.shift(1.5)
        assert titles(api.get(LIST)) == []


def test_a_change_clears_the_cache_of_its_process(api, api_as, artist, make_song, django_capture_on_commit_callbacks):
    song = make_song("Here")
    assert titles(api.get(LIST)) == ["Here"]
    with django_capture_on_commit_callbacks(execute=True):
        api_as(artist).patch(f"{LIST}/{song.pk}", {"title": "There"})
    assert titles(api.get(LIST)) == ["There"]


@pytest.mark.parametrize("path", [LIST, "/api/songs/trending", "/api/albums", "/api/artists", "/api/genres"])
def test_a_cached_answer_needs_no_query(api, make_song, django_assert_num_queries, path):
    first = api.get(path)
    with django_assert_num_queries(0):
        again = api.get(path)
    assert again.content == first.content
    assert {name for name in first.headers if name not in again.headers} == set()


def test_details_are_not_cached(api, make_song):
    song = make_song()
    assert api.get(f"{LIST}/{song.pk}").status_code == 200
    hide(song)
    assert api.get(f"{LIST}/{song.pk}").status_code == 404


def test_callers_with_a_token_get_no_cached_answer(api, api_as, listener, make_song):
    song, client = make_song("Here"), api_as(listener)
    assert titles(api.get(LIST)) == titles(client.get(LIST)) == ["Here"]
    hide(song)
    assert titles(client.get(LIST)) == []
    assert client.get(LIST)["Cache-Control"] == "private, no-cache"


def test_callers_with_a_session_get_no_cached_answer(api, artist, make_song):
    make_song("A secret", visibility="private")
    assert titles(api.get(LIST)) == []
    api.force_login(artist)
    assert titles(api.get(LIST)) == ["A secret"]
    api.logout()
    assert titles(api.get(LIST)) == []


def test_a_wrong_token_is_refused_although_the_answer_is_cached(api, make_song):
    assert api.get(LIST).status_code == 200
    assert api.get(LIST, HTTP_AUTHORIZATION="Token wrong").status_code == 401


def test_query_host_media_type_and_origin_are_cached_separately(api, make_song, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    settings.CORS_ALLOWED_ORIGINS = ["https://music.example"]
    for title in ("One", "Two"):
        make_song(title)
    assert len(titles(api.get(LIST))) == 2
    assert len(titles(api.get(f"{LIST}?limit=1"))) == 1
    assert "other.example" in api.get(f"{LIST}?limit=1", HTTP_HOST="other.example").json()["next"]
    assert api.get(LIST, HTTP_ACCEPT="text/html")["Content-Type"].startswith("text/html")
    assert api.get(LIST, HTTP_ORIGIN="https://music.example")["Access-Control-Allow-Origin"] == "https://music.example"
    assert "Access-Control-Allow-Origin" not in api.get(LIST)


def test_cached_answers_count_against_the_callers_rate(api, make_song, settings):
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "everything": (3, 60)}
    assert [api.get(LIST).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_errors_and_random_songs_are_not_cached(api, make_song):
    assert api.get(f"{LIST}?limit=0").status_code == 400
    assert api.get("/api/songs/random")["Cache-Control"] == "private, no-store"


def test_nothing_is_cached_at_zero_seconds(api, make_song, settings):
    settings.ANONYMOUS_CACHE_SECONDS = 0
    song = make_song("Here")
    assert titles(api.get(LIST)) == ["Here"]
    assert api.get(LIST)["Cache-Control"] == "no-cache"
    hide(song)
    assert titles(api.get(LIST)) == []
