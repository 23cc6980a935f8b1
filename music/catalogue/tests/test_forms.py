"""Forms as browsers send them: all fields, and a part without a file name for each untouched file input."""

import pytest

from music.models import Album, Song
from music.tests.samples import audio_sample, image_sample, tone
from music.tests.uploads import UNTOUCHED, browser_form, code_of, give_audio, send_image, stored_files, upload

pytestmark = pytest.mark.django_db

WRITES = pytest.mark.parametrize("method", ["put", "patch"])
# Empty values that other programs send instead of a browser's part without a file name.
EMPTY_TEXT = pytest.mark.parametrize("kind", ["multipart", "json"])


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


def send(client, method, path, *fields, **files):
    return getattr(client, method)(path, **browser_form(*fields, files=files))


@WRITES
def test_an_untouched_cover_input_leaves_the_cover(artist_api, album, method):
    path = f"/api/albums/{album.pk}"
    cover = send_image(artist_api, path, image_sample()).json()["cover_image"]

    answer = send(artist_api, method, path, ("title", "New"), ("release_date", ""), cover_image=UNTOUCHED)

    assert (answer.status_code, answer.json()["title"], answer.json()["cover_image"]) == (200, "New", cover)
    assert stored_files() == {Album.objects.get().cover_image.name}


@EMPTY_TEXT
@WRITES
def test_an_empty_text_as_a_cover_leaves_the_cover(artist_api, album, method, kind):
    path = f"/api/albums/{album.pk}"
    cover = send_image(artist_api, path, image_sample()).json()["cover_image"]

    answer = getattr(artist_api, method)(path, {"title": "New", "cover_image": ""}, format=kind)

    assert (answer.status_code, answer.json()["cover_image"]) == (200, cover)


def test_an_album_is_created_with_an_untouched_cover_input(artist_api):
    answer = send(artist_api, "post", "/api/albums", ("title", "New"), ("release_date", ""), cover_image=UNTOUCHED)

    assert (answer.status_code, answer.json()["cover_image"]) == (201, None)


@WRITES
def test_an_untouched_picture_input_leaves_the_picture(api_as, listener, method):
    client = api_as(listener)
    content = image_sample()
    picture = send(client, "patch", "/api/profile", profile_picture=(b"me.png", content)).json()["profile_picture"]
    assert picture

    answer = send(client, method, "/api/profile", ("name", "Nina"), profile_picture=UNTOUCHED)

    assert (answer.status_code, answer.json()["profile_picture"]) == (200, picture)
    assert answer.json()["user"]["name"] == "Nina"


@WRITES
def test_a_song_is_changed_with_an_untouched_audio_input(artist_api, song, method):
    give_audio(song)
    fields = [("title", "New"), ("album", ""), ("album_title", ""), ("genre", "Jazz"), ("track_number", "")]

    answer = send(artist_api, method, f"/api/songs/{song.pk}", *fields, audio_file=UNTOUCHED)

    assert (answer.status_code, answer.json()["title"], answer.json()["genre"]["title"]) == (200, "New", "Jazz")
    assert stored_files() == {song.audio_file.name}


def test_a_new_song_requires_a_file(artist_api):
    answer = send(artist_api, "post", "/api/songs", ("title", "New"), audio_file=UNTOUCHED)

    assert code_of(answer) == ("required", "audio_file")
    assert not Song.objects.exists()


def test_students_may_apply_with_an_email_address_only(api_as, listener):
    path = "/api/subscriptions/student"

    answer = send(api_as(listener), "post", path, ("school_email", "me@school.example"), document=UNTOUCHED)
    neither = send(api_as(listener), "post", path, ("school_email", ""), document=UNTOUCHED)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert code_of(neither) == ("required", "school_email")


def test_an_untouched_image_input_leaves_the_image_of_an_ad(client, make_user):
    from music.models import Ad

    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    fields = [("name", "Buy"), ("weight", "1"), ("starts_0", "2026-01-01"), ("starts_1", "00:00:00")]
    page = "/admin/music/ad/"
    files = {"audio": (b"ad.mp3", audio_sample("mp3")), "image": (b"ad.png", image_sample())}
    assert send(client, "post", f"{page}add/", *fields, **files).status_code == 302
    ad = Ad.objects.get()

    fields[0] = ("name", "Buy now")
    assert send(client, "post", f"{page}{ad.pk}/change/", *fields, audio=UNTOUCHED, image=UNTOUCHED).status_code == 302

    changed = Ad.objects.get()
    assert (changed.name, changed.audio.name, changed.image.name) == ("Buy now", ad.audio.name, ad.image.name)


@pytest.mark.parametrize("field", ["audio_file", "cover_image"])
def test_null_removes_a_cover_but_not_the_audio(artist_api, song, album, field):
    give_audio(song)
    send_image(artist_api, f"/api/albums/{album.pk}", image_sample())

    if field == "cover_image":
        answer = artist_api.patch(f"/api/albums/{album.pk}", {field: None})
        assert (answer.status_code, answer.json()[field]) == (200, None)
    else:
        assert code_of(artist_api.patch(f"/api/songs/{song.pk}", {field: None})) == ("null", field)


@pytest.mark.parametrize(
    "name",
    [b"Caf\xe9.mp3", b"\xff\xfe", b"\x93\xfa\x96{.mp3", b"..", b"/", b"\x07", b"music/"],
    ids=["Latin-1", "UTF-16", "Shift-JIS", "dots", "slash", "control", "folder"],
)
def test_a_file_with_an_unreadable_name_is_accepted(artist_api, name):
    answer = send(artist_api, "post", "/api/songs", ("explicit", "true"), audio_file=(name, tone("wav")))

    assert answer.status_code == 201, answer.content
    assert (answer.json()["title"], answer.json()["explicit"]) == ("Untitled", True)


def test_a_file_with_an_unreadable_name_gets_its_title_from_tags(artist_api):
    title = upload(artist_api).json()["title"]

    answer = send(artist_api, "post", "/api/songs", audio_file=(b"Caf\xe9.mp3", audio_sample("mp3")))

    assert answer.json()["title"] == title


def test_a_utf_8_file_name_becomes_the_title(artist_api):
    answer = send(artist_api, "post", "/api/songs", audio_file=("Café del Mar.wav".encode(), tone("wav")))

    assert answer.json()["title"] == "Café del Mar"


def test_an_unreadable_file_name_is_accepted_with_a_browser_session(client, artist):
    client.force_login(artist)

    answer = send(client, "post", "/api/songs", audio_file=(b"Caf\xe9.wav", tone("wav")))

    assert (answer.status_code, answer.json()["title"]) == (201, "Untitled")


@pytest.mark.parametrize(
    ("disposition", "status"),
    [
        (b"form-data; name=\"audio_file\"; filename*=no-such-charset''Caf%E9.wav", 201),
        (b"form-data; name=\"audio_file\"; filename*=UTF-8''Caf%E9.wav", 201),
        (b'form-data; name="audio_file"; filename="Caf\xe9.wav"; filename*=UTF-8\'\'Caf%C3%A9.wav', 201),
        (b'form-data; name="audio_file"; filename*=x', 201),
        (b"form-data; name*=no-such-charset''audio_file; filename=\"a.wav\"", 400),
        (b'form-data; name="audio_file"; filename="' + b"\xe9" * 2000 + b'"', 400),
    ],
)
def test_unusual_file_names_cause_no_server_error(artist_api, disposition, status):
    body = b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + tone("wav") + b"\r\n--x--\r\n"

    answer = artist_api.post("/api/songs", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == status
