"""What the answers say to caches, and what is not sent twice."""

import pytest
import time_machine

from music.models import SongCounts
from music.tests.uploading import give_audio


@pytest.fixture
def paths(make_song, album, genre):
    song = give_audio(make_song(album=album, genre=genre))
    single = [f"/api/songs/{song.pk}", f"/api/albums/{album.pk}", f"/api/genres/{genre.pk}"]
    return ["/api/songs", "/api/albums", "/api/genres", f"/api/albums/{album.pk}/songs", *single]


def test_every_public_answer_has_an_etag_and_says_what_it_varies_with(api, api_as, listener, paths):
    for client, caching in ((api, "no-cache"), (api_as(listener), "private, no-cache")):
        for path in paths:
            answer = client.get(path)
            assert answer["ETag"], path
            assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", ")), path
            assert answer["Cache-Control"] == caching, path


def test_who_has_the_answer_already_gets_304_without_a_body(api, api_as, listener, paths):
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


def test_head_has_the_etag_of_get(api, paths):
    for path in paths:
        assert api.head(path)["ETag"] == api.get(path)["ETag"]


def test_what_changes_has_another_etag(api, song):
    path = f"/api/songs/{song.pk}"
    before = [api.get(path)["ETag"], api.get("/api/songs")["ETag"]]
    SongCounts.objects.update(play_count=1)
    after = [api.get(path)["ETag"], api.get("/api/songs")["ETag"]]
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert api.get("/api/songs", HTTP_IF_NONE_MATCH=before[1]).status_code == 200


def test_a_new_signature_is_no_change(api_as, artist, private_song):
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


def test_what_one_caller_has_is_not_another_callers_answer(api, api_as, artist, private_song):
    seen_by_artist = api_as(artist).get("/api/songs")["ETag"]
    assert api.get("/api/songs", HTTP_IF_NONE_MATCH=seen_by_artist).status_code == 200


def test_errors_have_no_etag(api, song):
    answer = api.get("/api/songs/00000000-0000-0000-0000-000000000000", HTTP_IF_NONE_MATCH="*")
    assert answer.status_code == 404
    assert "ETag" not in answer
    assert "Authorization" in answer["Vary"]
