"""Caching headers and conditional requests: ETag, Cache-Control, Vary, If-None-Match, If-Match and Range."""

import pytest
import time_machine

from music.models import Song, SongCounts
from music.tests.uploads import give_audio


@pytest.fixture
def paths(make_song, album, genre):
    song = give_audio(make_song(album=album, genre=genre))
    single = [f"/api/songs/{song.pk}", f"/api/albums/{album.pk}", f"/api/genres/{genre.pk}"]
    return ["/api/songs", "/api/albums", "/api/genres", f"/api/albums/{album.pk}/songs", *single]


def test_responses_have_etag_vary_and_cache_control(api, api_as, listener, paths):
    for client, caching in ((api, "no-cache"), (api_as(listener), "private, no-cache")):
        for path in paths:
            answer = client.get(path)
            assert answer["ETag"], path
            assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", ")), path
            assert answer["Cache-Control"] == caching, path


def test_a_matching_etag_is_answered_with_304_without_a_body(api, api_as, listener, paths):
    for client in (api, api_as(listener)):
        for path in paths:
            etag = client.get(path)["ETag"]
            for condition in (etag, f"W/{etag}", f'"another", {etag}', "*"):
                answer = client.get(path, HTTP_IF_NONE_MATCH=condition)
                assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag), path
                assert "Authorization" in answer["Vary"]
                assert "no-cache" in answer["Cache-Control"]
            assert client.get(path, HTTP_IF_NONE_MATCH='"another"').status_code == 200
            assert client.head(path, HTTP_IF_NONE_MATCH=etag).status_code == 304


def test_head_has_the_same_etag_as_get(api, paths):
    for path in paths:
        assert api.head(path)["ETag"] == api.get(path)["ETag"]


def test_a_change_of_the_content_changes_the_etag(api, song):
    path = f"/api/songs/{song.pk}"
    before = [api.get(path)["ETag"], api.get("/api/songs")["ETag"]]
    SongCounts.objects.update(play_count=1)
    after = [api.get(path)["ETag"], api.get("/api/songs")["ETag"]]
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert api.get("/api/songs", HTTP_IF_NONE_MATCH=before[1]).status_code == 200


def test_a_new_signature_does_not_change_the_etag(api_as, artist, private_song):
    give_audio(private_song)
    client = api_as(artist)
    for path in (f"/api/songs/{private_song.pk}", "/api/songs"):
        with time_machine.travel("2026-12-01 12:00:00+00:00", tick=False):
            first = client.get(path)
        with time_machine.travel("2026-12-01 12:10:00+00:00", tick=False):
            second = client.get(path)
            assert first.content != second.content
            assert first["ETag"] == second["ETag"]
            assert client.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304


def test_an_etag_of_one_caller_does_not_match_for_another(api, api_as, artist, private_song):
    seen_by_artist = api_as(artist).get("/api/songs")["ETag"]
    assert api.get("/api/songs", HTTP_IF_NONE_MATCH=seen_by_artist).status_code == 200


def test_errors_have_no_etag(api, song):
    answer = api.get("/api/songs/00000000-0000-0000-0000-000000000000", HTTP_IF_NONE_MATCH="*")
    assert answer.status_code == 404
    assert "ETag" not in answer
    assert "Authorization" in answer["Vary"]


NO_DATE = "Sun, 01 Jan 2006 10:00:00 GMT"


@pytest.fixture
def stream(song):
    return f"/api/songs/{give_audio(song).pk}/stream"


@pytest.fixture
def signed(api_as, artist, private_song):
    give_audio(private_song)
    return api_as(artist).get(f"/api/songs/{private_song.pk}").json()["audio_file"]


def test_a_304_has_no_content_length_or_type(api, api_as, listener, paths, stream):
    for client in (api, api_as(listener)):
        for path in (*paths, stream, "/api/schema"):
            etag = client.get(path)["ETag"]
            for ask in (client.get, client.head):
                answer = ask(path, HTTP_IF_NONE_MATCH=etag)
                assert answer.status_code == 304, path
                assert not answer.has_header("Content-Length"), path
                assert not answer.has_header("Content-Type"), path


def test_if_none_match_is_checked_before_range(api, stream):
    etag = api.get(stream)["ETag"]

    for asked in ("bytes=0-1", "bytes=999-"):
        assert api.get(stream, HTTP_RANGE=asked, HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert api.get(stream, HTTP_RANGE="bytes=0-1", HTTP_IF_NONE_MATCH='"another"').status_code == 206
    assert api.get(stream, HTTP_RANGE="bytes=999-", HTTP_IF_NONE_MATCH='"another"').status_code == 416
    assert api.get(stream, HTTP_RANGE="bytes=999-", HTTP_IF_MATCH='"another"').status_code == 412


def test_conditions_on_dates_are_ignored(api, api_as, listener, paths, stream):
    for client in (api, api_as(listener)):
        for path in (*paths, stream):
            for _ in range(2):  # the second answer may come from the anonymous cache
                assert client.get(path, HTTP_IF_UNMODIFIED_SINCE=NO_DATE).status_code == 200, path
                assert client.get(path, HTTP_IF_MODIFIED_SINCE="Sun, 01 Jan 2034 10:00:00 GMT").status_code == 200


def test_if_match_with_another_etag_is_a_412_in_the_error_shape(api, api_as, listener, paths, stream):
    for client in (api, api_as(listener)):
        for path in (*paths, stream):
            etag = client.get(path)["ETag"]
            for wanted in ('"another"', f"W/{etag}"):
                answer = client.get(path, HTTP_IF_MATCH=wanted)
                assert answer.status_code == 412, path
                assert answer.json() == {
                    "type": "client_error",
                    "errors": [
                        {
                            "code": "precondition_failed",
                            "detail": "This is not the version that `If-Match` asks for.",
                            "attr": None,
                        }
                    ],
                }
                assert "ETag" not in answer
                assert "no-cache" in answer["Cache-Control"]
            for wanted in (etag, "*", f'"another", {etag}'):
                assert client.get(path, HTTP_IF_MATCH=wanted).status_code == 200, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"HTTP_RANGE": "bytes=0-1"}, 206),
        ({"HTTP_IF_NONE_MATCH": "*"}, 304),
        ({"HTTP_RANGE": "bytes=99-"}, 416),
    ],
)
def test_streams_of_a_listener_or_a_signature_are_private(
    api, api_as, client, listener, stream, signed, headers, status
):
    client.force_login(listener)
    for asks, path, caching in (
        (api, stream, "no-cache"),
        (api_as(listener), stream, "private, no-cache"),
        (client, stream, "private, no-cache"),
        (api, signed, "private, no-cache"),
    ):
        for ask in (asks.get, asks.head):
            answer = ask(path, **headers)
            assert answer.status_code == (200 if ask == asks.head and "HTTP_RANGE" in headers else status)
            assert answer["Cache-Control"] == caching
            assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", "))


def test_only_anonymous_lists_are_publicly_cacheable(api, client, listener, song, settings):
    settings.ANONYMOUS_CACHE_SECONDS = 2
    assert api.get("/api/songs")["Cache-Control"] == "public, max-age=2"

    client.cookies[settings.SESSION_COOKIE_NAME] = "ended long ago"
    assert client.get("/api/songs")["Cache-Control"] == "private, no-cache"


def test_errors_for_a_logged_in_or_signed_request_are_private(api, api_as, listener, private_song):
    path = f"/api/songs/{private_song.pk}"

    assert api.get(path)["Cache-Control"] == "no-cache"
    assert api_as(listener).get(path)["Cache-Control"] == "private, no-cache"
    assert api.get(f"{path}/stream?signature=x")["Cache-Control"] == "private, no-cache"


def test_schema_and_plans_have_an_etag_and_random_songs_have_none(api, song):
    assert api.get("/api/schema")["ETag"]
    assert api.get("/api/subscriptions")["ETag"]
    assert not api.get("/api/songs/random").has_header("ETag")


def test_responses_with_a_token_are_not_cached(api, api_as, db):
    account = {"email": "nina@example.com", "password": "long and winding"}
    registered = api.post("/api/users", account)
    logged_in = api.post("/api/login", account)
    api.credentials(HTTP_AUTHORIZATION=f"Token {logged_in.json()['token']}")
    changed = api.post("/api/password/change", {"old_password": "long and winding", "new_password": "winding and long"})

    for answer in (registered, logged_in, changed):
        assert "token" in answer.json()
        assert answer["Cache-Control"] == "no-store"


def test_a_hidden_song_is_a_404_for_a_caller_with_its_old_etag(api, api_as, listener, song, stream):
    for client in (api, api_as(listener)):
        etags = {path: client.get(path)["ETag"] for path in (f"/api/songs/{song.pk}", stream)}
        Song.objects.filter(pk=song.pk).update(visibility="private")
        for path, etag in etags.items():
            assert client.get(path, HTTP_IF_NONE_MATCH=etag).status_code == 404
        Song.objects.filter(pk=song.pk).update(visibility="public")
