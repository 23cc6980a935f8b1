import time

import pytest
import time_machine
from django.core import signing

from conftest import PASSWORD
from music.catalogue.audio import CONTENT_TYPES
from music.models import Song
from music.tests.samples import AUDIO_FORMATS
from music.tests.uploads import body_of, code_of, give_audio

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)


@pytest.fixture
def streamed(song) -> Song:
    return give_audio(song, CONTENT)


@pytest.fixture
def url(streamed) -> str:
    return f"/api/songs/{streamed.pk}/stream"


@pytest.fixture
def signed_url(api_as, artist, private_song) -> str:
    give_audio(private_song, CONTENT)
    return api_as(artist).get(f"/api/songs/{private_song.pk}").json()["audio_file"]


def test_anonymous_callers_stream_a_whole_public_song(api, url):
    answer = api.get(url)
    assert (answer.status_code, body_of(answer)) == (200, CONTENT)
    assert (answer["Content-Type"], answer["Content-Length"]) == ("audio/mpeg", str(SIZE))
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"].startswith('"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Range" not in answer


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_the_content_type_is_that_of_the_format(api, song, format):
    give_audio(song, CONTENT, format)
    answer = api.get(f"/api/songs/{song.pk}/stream")
    assert (answer["Content-Type"], body_of(answer)) == (CONTENT_TYPES[format], CONTENT)


@pytest.mark.parametrize("accept", ["audio/*", "audio/mpeg", "audio/webm,audio/ogg;q=0.9,*/*;q=0.5", "text/html", ""])
def test_any_accept_header_is_allowed_for_streams(api, url, accept):
    assert body_of(api.get(url, HTTP_ACCEPT=accept)) == CONTENT


@pytest.mark.parametrize(
    ("requested", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        ("bytes=-999999999", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=5-999999999", 5, SIZE - 1),
        ("bytes=65530-65545", 65530, 65545),
        ("Bytes=7-9", 7, 9),
        (" bytes=7-9 ", 7, 9),
    ],
)
def test_a_range_request_returns_exactly_its_bytes(api, url, requested, first, last):
    answer = api.get(url, HTTP_RANGE=requested)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer["Content-Type"] == "audio/mpeg"
    assert body_of(answer) == CONTENT[first : last + 1]


@pytest.mark.parametrize("requested", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=999999999-", "bytes=-0"])
def test_an_unsatisfiable_range_is_416_with_the_size(api, url, requested):
    answer = api.get(url, HTTP_RANGE=requested)
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"
    assert answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "requested",
    [
        *("bytes=0-1,5-9", "bytes=0-0,-1", "bytes=5-2", "bytes=a-b", "bytes=-", "bytes=", "bytes", "items=0-5", ""),
        *("bytes=--5", "bytes=1 - 2", "bytes=0x1-", "bytes=٣-", "bytes=1.5-2", "bytes=0-" + "9" * 5000, "0-5"),
    ],
)
def test_multiple_and_malformed_ranges_return_the_whole_file(api, url, requested):
    answer = api.get(url, HTTP_RANGE=requested)
    assert (answer.status_code, body_of(answer)) == (200, CONTENT)
    assert "Content-Range" not in answer


def test_if_range_with_another_etag_returns_the_whole_file(api, url):
    etag = api.get(url)["ETag"]
    assert body_of(api.get(url, HTTP_RANGE="bytes=0-4", HTTP_IF_RANGE=etag)) == CONTENT[:5]
    for other in ('"another"', f"W/{etag}", "Sun, 22 Nov 2026 10:00:00 GMT"):
        answer = api.get(url, HTTP_RANGE="bytes=0-4", HTTP_IF_RANGE=other)
        assert (answer.status_code, body_of(answer)) == (200, CONTENT)
    # With another ETag in If-Range an unsatisfiable range is not an error either.
    assert api.get(url, HTTP_RANGE=f"bytes={SIZE}-", HTTP_IF_RANGE='"another"').status_code == 200


def test_head_returns_the_headers_without_the_bytes(api, url):
    answer = api.head(url)
    assert (answer.status_code, answer["Content-Length"]) == (200, str(SIZE))
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"] == api.get(url)["ETag"]
    # Range applies to GET only.
    assert api.head(url, HTTP_RANGE="bytes=0-4").status_code == 200


def test_a_matching_etag_is_304(api, url):
    etag = api.get(url)["ETag"]
    for condition in (etag, f'"another", {etag}', f"W/{etag}", "*"):
        answer = api.get(url, HTTP_IF_NONE_MATCH=condition)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    assert api.get(url, HTTP_IF_NONE_MATCH=etag, HTTP_RANGE="bytes=0-4").status_code == 304
    assert api.get(url, HTTP_IF_NONE_MATCH='"another"').status_code == 200
    assert api.get(url, HTTP_IF_MATCH='"another"').status_code == 412


def test_new_audio_has_a_new_etag(api, url, streamed):
    before = api.get(url)["ETag"]
    give_audio(streamed, CONTENT)
    assert api.get(url)["ETag"] != before


def test_a_song_without_audio_is_404_no_audio(api, song):
    assert code_of(api.get(f"/api/songs/{song.pk}/stream"), 404) == ("no_audio", None)
    assert api.get(f"/api/songs/{song.pk}").json()["audio_file"] is None


def test_the_url_of_a_public_song_has_no_signature(api, api_as, artist, streamed):
    for client in (api, api_as(artist)):
        shown = client.get(f"/api/songs/{streamed.pk}").json()["audio_file"]
        assert shown == f"http://testserver/api/songs/{streamed.pk}/stream"


def test_a_private_song_plays_from_its_signed_url(api, signed_url):
    assert "?signature=" in signed_url
    assert body_of(api.get(signed_url)) == CONTENT
    assert body_of(api.get(signed_url, HTTP_RANGE="bytes=10-19")) == CONTENT[10:20]
    assert api.head(signed_url).status_code == 200


def test_a_private_song_without_its_signature_is_404(api, api_as, listener, signed_url):
    plain = signed_url.partition("?")[0]
    assert code_of(api.get(plain), 404) == ("not_found", None)
    assert code_of(api_as(listener).get(plain), 404) == ("not_found", None)


@pytest.mark.parametrize("forged", ["", "x", "%00", "é", "a:b:c", "a" * 5000, "WyJhIl0:1:x"])
def test_a_forged_signature_is_refused(api, signed_url, forged):
    plain = signed_url.partition("?")[0]
    assert code_of(api.get(f"{plain}?signature={forged}"), 404) == ("not_found", None)


def test_a_changed_signature_is_refused(api, signed_url):
    plain, _, signature = signed_url.partition("?signature=")
    for place in range(0, len(signature) - 1, 7):
        changed = signature[:place] + ("A" if signature[place] != "A" else "B") + signature[place + 1 :]
        assert api.get(f"{plain}?signature={changed}").status_code == 404


def test_a_signature_is_valid_for_its_song_only(api, make_song, signed_url):
    other = give_audio(make_song("Another secret", visibility="private"))
    signature = signed_url.partition("?")[2]
    assert api.get(f"/api/songs/{other.pk}/stream?{signature}").status_code == 404


def test_a_signed_url_expires(api, settings, signed_url):
    assert api.get(signed_url).status_code == 200
    with time_machine.travel(time.time() + settings.STREAM_URL_LIFETIME.total_seconds() + 5):
        assert api.get(signed_url).status_code == 404


def test_a_signed_url_ends_with_the_account(api, artist, signed_url):
    artist.is_active = False
    artist.save()
    assert api.get(signed_url).status_code == 404


def test_a_running_stream_continues_when_the_song_is_deleted(api, api_as, artist, streamed, url):
    answer = api.get(url)
    assert api_as(artist).delete(f"/api/songs/{streamed.pk}").status_code == 204
    assert body_of(answer) == CONTENT
    assert api.get(url).status_code == 404


def test_streaming_writes_nothing_to_the_database(api_as, artist, url):
    for method in ("post", "put", "patch", "delete"):
        assert code_of(getattr(api_as(artist), method)(url), 405) == ("method_not_allowed", None)


def test_nginx_sends_the_bytes_if_configured(api, settings, song, url):
    settings.X_ACCEL_REDIRECT = "/protected/"
    song.refresh_from_db()
    answer = api.get(url, HTTP_RANGE="bytes=0-9")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/protected/{song.audio_file.name}"
    assert answer["Content-Type"].startswith("audio/")
    assert not answer.has_header("Content-Range")
    assert not answer.has_header("ETag")


def test_a_signed_url_ends_when_all_devices_are_logged_out(api, api_as, artist, streamed, signed_url):
    played = api_as(artist).post(f"/api/songs/{streamed.pk}/play").json()["stream_url"]
    assert (api.get(signed_url).status_code, api.get(played).status_code) == (200, 200)

    assert api_as(artist).post("/api/logout/all").status_code == 204

    assert (api.get(signed_url).status_code, api.get(played).status_code) == (404, 403)
    shown = api_as(artist).get(signed_url.partition("/stream")[0]).json()["audio_file"]
    assert api.get(shown).status_code == 200


def test_a_signed_url_ends_with_a_new_password(api, api_as, artist, signed_url):
    change = {"old_password": PASSWORD, "new_password": "another long road home"}
    assert api_as(artist).post("/api/password/change", change).status_code == 200

    assert api.get(signed_url).status_code == 404


def test_signed_urls_without_a_sign_out_mark_still_work(api, artist, streamed):
    signature = signing.dumps([streamed.pk.hex, artist.pk.hex, None], salt="music.stream")

    assert api.get(f"/api/songs/{streamed.pk}/stream?signature={signature}").status_code == 200
