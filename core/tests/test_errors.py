"""Errors under /api/: every one has the one shape and its status."""

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from conftest import PASSWORD
from music.models import Album, Song, SongCounts

pytestmark = pytest.mark.django_db

NUL, HALF_A_PAIR = "a\0b", "a\ud800b"
SOMETHING = "00000000-0000-4000-8000-000000000000"


def errors(answer, *, kind="client_error"):
    """Check the shape of an error answer, and return (code, attr) of each error."""
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"type", "errors"}
    assert body["type"] == kind
    assert body["errors"]
    for error in body["errors"]:
        assert error.keys() == {"code", "detail", "attr"}
        assert isinstance(error["code"], str)
        assert isinstance(error["detail"], str)
        assert error["attr"] is None or isinstance(error["attr"], str)
    return [(error["code"], error["attr"]) for error in body["errors"]]


@pytest.fixture
def works(artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    album = Album.objects.create(title="An album", artist=artist)
    return {"song": song.pk, "album": album.pk}


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["/api/nowhere", "/api/nowhere/at/all/", "/api/songs/x/y", "/api//songs"])
def test_an_unknown_path_is_404_for_every_method(api, method, path):
    answer = getattr(api, method)(path) if method != "trace" else api.generic("TRACE", path)

    assert answer.status_code == 404
    if method != "head":
        assert errors(answer) == [("not_found", None)]


@pytest.mark.parametrize("resource", ["songs", "albums", "genres", "artists"])
@pytest.mark.parametrize(
    "pk", [SOMETHING, "1", "abc", SOMETHING + "0", SOMETHING[:-1], "%00", "%ff", "%F0%9F%8E%B7", "..", "'", "x" * 3000]
)
def test_an_unknown_or_malformed_id_is_404(api, resource, pk):
    assert errors(api.get(f"/api/{resource}/{pk}")) == [("not_found", None)]


def test_an_unknown_id_is_404_before_the_body_is_checked(api_as, listener):
    api = api_as(listener)

    for answer in (api.put(f"/api/songs/{uuid4()}", {}), api.delete(f"/api/albums/{uuid4()}")):
        assert (answer.status_code, errors(answer)) == (404, [("not_found", None)])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/login"),
        ("get", "/api/users"),
        ("put", "/api/users/"),
        ("delete", "/api/login"),
        ("post", "/api/profile"),
        ("get", "/api/logout"),
        ("patch", "/api/password/change"),
        ("get", "/api/password/reset"),
        ("put", "/api/songs"),
        ("delete", "/api/genres"),
    ],
)
def test_an_unsupported_method_is_405(api_as, artist, method, path):
    answer = getattr(api_as(artist), method)(path)

    assert answer.status_code == 405
    assert errors(answer) == [("method_not_allowed", None)]
    assert answer["Allow"]


@pytest.mark.parametrize("path", ["/api/login", "/api/users", "/api/password/reset"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/octet-stream", "nonsense"])
def test_a_body_of_another_type_is_415(api, path, content_type):
    answer = api.generic("POST", path, b"<a/>", content_type=content_type)

    assert (answer.status_code, errors(answer)) == (415, [("unsupported_media_type", None)])


def test_an_answer_of_another_type_is_406(api):
    answer = api.get("/api/songs", HTTP_ACCEPT="application/xml")

    assert (answer.status_code, errors(answer)) == (406, [("not_acceptable", None)])


def test_a_session_without_a_csrf_token_is_403(listener):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(listener)

    for answer in (browser.patch("/api/profile", {"name": "Nina"}), browser.post("/api/logout")):
        assert (answer.status_code, errors(answer)) == (403, [("permission_denied", None)])


def test_a_token_needs_no_csrf_token(api, listener):
    browser = APIClient(enforce_csrf_checks=True)
    pair = {"email": "listener@example.com", "password": PASSWORD}
    token = browser.post("/api/login", pair).json()["token"]
    browser.credentials(HTTP_AUTHORIZATION=f"Token {token}")

    assert browser.patch("/api/profile", {"name": "Nina"}).status_code == 200


def test_an_unknown_host_is_400(api, settings):
    settings.ALLOWED_HOSTS = ["music.example"]

    answer = api.get("/api/songs", HTTP_HOST="evil.example")

    assert (answer.status_code, errors(answer)) == (400, [("bad_request", None)])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"email": NaN}',
        b'{"email": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"email": "a" "password": "b"}',
    ],
    ids=lambda body: body[:12],
)
def test_invalid_json_is_400(api, body):
    answer = api.generic("POST", "/api/login", body, content_type="application/json")

    assert (answer.status_code, errors(answer)) == (400, [("parse_error", None)])


@pytest.mark.parametrize("path", ["/api/login", "/api/users", "/api/password/reset"])
@pytest.mark.parametrize("body", ["[]", "[1]", '"text"', "5", "true", '[{"email": "a@example.com"}]'])
def test_json_without_an_object_is_400(api, path, body):
    answer = api.generic("POST", path, body, content_type="application/json")

    assert answer.status_code == 400
    assert errors(answer, kind="validation_error") == [("invalid", None)]


@pytest.mark.parametrize("body", ["[]", '"text"', "5", "true", "null"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/api/songs/{song}", "/api/albums/{album}", "/api/profile"])
def test_json_without_an_object_changes_nothing(api_as, artist, works, path, method, body):
    answer = api_as(artist).generic(method, path.format(**works), body, content_type="application/json")

    assert answer.status_code == 400
    errors(answer, kind="validation_error")
    assert Song.objects.get().title == "A song"
    assert Album.objects.get().title == "An album"


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=\xff"])
def test_a_form_without_a_boundary_is_400(api, content_type):
    answer = api.generic("POST", "/api/login", b"--x", content_type=content_type)

    assert (answer.status_code, errors(answer)) == (400, [("parse_error", None)])


@pytest.mark.parametrize("format", ["multipart", None])
def test_a_form_of_thousands_of_fields_is_400(api, format):
    fields = {f"field{number}": "x" for number in range(1500)}
    form = {"format": "multipart"} if format else {"content_type": "application/x-www-form-urlencoded"}

    answer = api.post("/api/login", fields if format else "&".join(f"{name}=x" for name in fields), **form)

    assert (answer.status_code, errors(answer)) == (400, [("parse_error", None)])


def test_a_form_of_hundreds_of_files_is_400(api):
    files = {f"file{number}": SimpleUploadedFile("a.txt", b"x") for number in range(150)}

    answer = api.post("/api/login", files, format="multipart")

    assert (answer.status_code, errors(answer)) == (400, [("parse_error", None)])


@pytest.mark.parametrize("text", [NUL, HALF_A_PAIR], ids=["NUL", "half a pair"])
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        *(("post", "/api/users", field) for field in ("email", "password", "username", "name", "role")),
        *(("post", "/api/login", field) for field in ("email", "password")),
        *(("post", "/api/password/change", field) for field in ("old_password", "new_password")),
        ("post", "/api/password/reset", "email"),
        *(("post", "/api/password/reset/confirm", field) for field in ("uid", "token", "new_password")),
        *(("patch", "/api/profile", field) for field in ("username", "name", "audio_quality", "role")),
        *(("patch", "/api/profile", field) for field in ("offline_mode", "profile_picture")),
        ("delete", "/api/profile", "password"),
        ("post", "/api/genres", "title"),
        *(("post", "/api/albums", field) for field in ("title", "release_date", "cover_image")),
        *(("patch", "/api/albums/{album}", field) for field in ("title", "release_date")),
        *(("patch", "/api/songs/{song}", field) for field in ("title", "album", "album_title", "genre")),
        *(("patch", "/api/songs/{song}", field) for field in ("release_date", "track_number", "explicit")),
        *(("patch", "/api/songs/{song}", field) for field in ("visibility", "licensing_info", "audio_file")),
    ],
)
def test_nul_and_half_a_surrogate_pair_are_refused_in_every_field(
    api, api_as, artist, works, method, path, field, text
):
    caller = api if path in ("/api/users", "/api/login") else api_as(artist)

    answer = getattr(caller, method)(path.format(**works), json.dumps({field: text}), content_type="application/json")

    assert answer.status_code == 400
    assert field in [attr for _, attr in errors(answer, kind="validation_error")]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/songs", ["search", "genre", "limit", "cursor", "ordering", "explicit"]),
        ("/api/albums", ["search", "limit", "cursor", "ordering"]),
    ],
)
def test_nul_in_a_parameter_is_400(api, path, names):
    assert {name: api.get(f"{path}?{name}=%00").status_code for name in names} == dict.fromkeys(names, 400)


@pytest.mark.parametrize("query", ["search=%ED%A0%80", "genre=%ff", "artist=%ED%A0%80"])
def test_broken_utf_8_in_a_text_filter_matches_nothing(api, works, query):
    answer = api.get(f"/api/songs?{query}")

    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize("query", ["limit=%ff", "cursor=%ff"])
def test_broken_utf_8_in_a_parameter_of_the_page_is_400(api, query):
    assert api.get(f"/api/songs?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/api/login", "/api/users", "/api/songs", "/api/nowhere", "/somewhere"])
def test_a_body_over_100_mb_is_413_before_it_is_read(api, path):
    answer = api.post(path, {}, CONTENT_LENGTH=str(100 * 2**20 + 1), HTTP_ORIGIN="http://localhost:3000")

    assert (answer.status_code, errors(answer)) == (413, [("too_large", None)])
    assert answer["Connection"] == "close"


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_over_2_mb_without_files_is_400(api, content_type):
    answer = api.generic("POST", "/api/login", b"a" * (3 * 2**20), content_type=content_type)

    assert answer.status_code == 400
    assert errors(answer, kind="validation_error") == [("too_large", None)]


def test_a_body_of_unknown_length_is_411(api):
    answer = api.generic("POST", "/api/login", b"", HTTP_TRANSFER_ENCODING="chunked")

    assert (answer.status_code, errors(answer)) == (411, [("length_required", None)])


@pytest.mark.parametrize("depth", [25, 200, 900])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in ("/api/login", "/api/users", "/api/password/reset", "/api/albums", "/api/genres")),
        *(("PATCH", path) for path in ("/api/profile", "/api/songs/{song}", "/api/albums/{album}")),
        *(("POST", f"/api/subscriptions/{deed}") for deed in ("subscribe", "members", "student", "checkout")),
    ],
)
def test_json_that_is_nested_deeply_is_400(api_as, artist, works, method, path, opening, closing, depth):
    value = f"{opening * depth}1{closing * depth}"
    for body in (value, f'{{"email": {value}, "title": {value}, "plan_id": {value}}}'):
        answer = api_as(artist).generic(method, path.format(**works), body, content_type="application/json")

        assert (answer.status_code, errors(answer)) == (400, [("parse_error", None)])


QUERIES = {
    "a hundred thousand parameters": "&".join(f"p{number}=x" for number in range(100_000)),
    "the same one a thousand times": "&".join(["limit=5"] * 1000),
    "a megabyte": "search=" + "a" * 2**20,
    "a megabyte without a name": "a" * 2**20,
    "nothing but separators": "&" * 200,
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("path", ["/api/songs", "/api/songs/search", "/api", "/api/schema", "/api/nowhere", "/admin/"])
def test_a_query_beyond_measure_is_400(api, path, query):
    answer = api.get(path, QUERY_STRING=query)

    assert (answer.status_code, errors(answer)) == (400, [("too_large", None)])


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        *(("/api/songs", name, 200) for name in ("search", "genre", "artist", "album")),
        *(("/api/songs", name, 400) for name in ("title", "ordering", "limit", "cursor")),
        *(("/api/albums", name, 200) for name in ("search", "artist")),
        *(("/api/albums", name, 400) for name in ("ordering", "limit", "cursor")),
        ("/api/songs/search", "q", 200),
        ("/api/songs/search", "limit", 400),
    ],
)
def test_a_parameter_of_forty_thousand_letters_is_answered(api, path, name, status):
    for text in ("x" * 40_000, "x+" * 20_000, "%C3%A9" * 6_000):
        query = f"{name}={text}" if path != "/api/songs/search" or name == "q" else f"q=x&{name}={text}"
        assert api.get(path, QUERY_STRING=query).status_code == status


def test_a_radio_query_of_a_thousand_ids_is_answered(api, works):
    exclude = ",".join(str(uuid4()) for _ in range(1000))

    assert api.get("/api/songs/radio", {"seed_song": works["song"], "exclude": exclude}).status_code == 200


def test_the_last_of_repeated_parameters_counts(api, works):
    assert api.get("/api/songs?limit=0&limit=5").status_code == 200
    assert api.get("/api/songs?limit=5&limit=0").status_code == 400


def test_a_failure_of_ours_is_500_in_the_same_shape(api_as, listener):
    api = api_as(listener)
    api.raise_request_exception = False
    listener.profile.delete()

    answer = api.get("/api/profile")

    assert (answer.status_code, errors(answer, kind="server_error")) == (500, [("error", None)])
    assert "UserProfile" not in answer.content.decode()
