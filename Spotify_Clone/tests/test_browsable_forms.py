"""Forms of the browsable API: refused forms stay filled in, and the suggested raw data is valid."""

import json
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from conftest import PASSWORD
from music.models import Album, Genre, Song, SongCounts
from music.tests.samples import image_sample, tone
from music.tests.uploads import UNTOUCHED, browser_form, give_audio, send_image

pytestmark = pytest.mark.django_db

HTML = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def browser(client, artist):
    client.force_login(artist)
    return client


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    return give_audio(song)


@pytest.fixture
def album(artist):
    return Album.objects.create(title="An album", artist=artist)


def submit(browser, method, path, *fields, **files):
    return getattr(browser, method)(path, **browser_form(*fields, files=files), **HTML)


def text_of(page):
    assert page["Content-Type"].startswith("text/html")
    return page.content.decode()


def field_groups(page):
    """Return the HTML around each field of the page's forms, by the field's name."""
    groups = re.split(r'<div class="form-group', text_of(page))[1:]
    return {found[1]: group for group in groups if (found := re.search(r'name="(\w+)"', group))}


def typed(page, name):
    """Return the value of a field of the form."""
    group = field_groups(page)[name]
    if chosen := re.search(r'<option value="([^"]*)" selected', group):
        return unescape(chosen[1])
    if area := re.search(r"<textarea[^>]*>\n(.*?)</textarea>", group, re.DOTALL):
        return unescape(area[1])
    value = re.search(r'value="([^"]*)"', group)
    return unescape(value[1]) if value else ""


def raw_content(page):
    found = re.search(r'<textarea name="_content"[^>]*>\n?(.*?)</textarea>', text_of(page), re.DOTALL)
    return unescape(found[1]) if found else None


def assert_refused(page, *names, status=400):
    """Check that each field has its error, and that the form comes before the answer."""
    assert page.status_code == status
    text = text_of(page)
    assert {name for name, group in field_groups(page).items() if 'aria-invalid="true"' in group} == set(names)
    assert text.index('role="alert"') < text.index('id="forms"') < text.index('class="response-info"')


def test_a_refused_upload_keeps_the_typed_values(browser, album):
    fields = {
        "title": 'My "long" <title>',
        "album": str(album.pk),
        "album_title": "",
        "genre": "Jazz",
        "release_date": "2020-01-02",
        "track_number": "0",
        "explicit": "True",
        "visibility": "private",
        "licensing_info": "All\nmine",
    }

    page = submit(browser, "post", "/api/songs", *fields.items(), audio_file=(b"notes.mp3", b"no music"))

    assert_refused(page, "audio_file", "track_number")
    assert {name: typed(page, name) for name in fields} == fields
    assert "not an audio file" in field_groups(page)["audio_file"]
    assert "greater than or equal to 1" in field_groups(page)["track_number"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_song_is_edited_in_the_browser_without_its_audio(browser, song, method):
    path = f"/api/songs/{song.pk}"
    form = browser.get(path, **HTML)
    fields = {name: typed(form, name) for name in field_groups(form) if name not in ("audio_file", "_content_type")}
    fields = {name: value for name, value in fields.items() if not name.startswith("_")}

    page = submit(browser, method, path, *(fields | {"title": "New"}).items(), audio_file=UNTOUCHED)

    assert page.status_code == 200
    changed = Song.objects.get()
    assert (changed.title, changed.audio_file.name) == ("New", song.audio_file.name)


def test_a_refused_change_shows_the_typed_values(browser, album):
    page = submit(browser, "put", f"/api/albums/{album.pk}", ("title", " "), ("release_date", "2020-13-01"))

    assert_refused(page, "title", "release_date")
    assert typed(page, "release_date") == "2020-13-01"
    assert Album.objects.get().title == "An album"


def test_an_error_without_a_field_keeps_the_form(browser, artist):
    fields = [("name", "Nina"), ("audio_quality", "high")]

    page = submit(browser, "put", "/api/profile", *fields, profile_picture=(b"me.png", image_sample("PNG")))

    assert_refused(page, status=403)
    assert "Your plan does not include this" in text_of(page)
    assert [typed(page, name) for name, _ in fields] == ["Nina", "high"]
    assert "Choose <b>me.png</b> once more" in field_groups(page)["profile_picture"]


def test_an_error_of_the_domain_is_shown_at_its_field(browser):
    Genre.objects.create(title="Jazz")

    page = submit(browser, "post", "/api/genres", ("title", "JAZZ"))

    assert_refused(page, "title")
    assert typed(page, "title") == "JAZZ"


def test_a_refused_registration_keeps_everything_but_the_password(client):
    page = submit(client, "post", "/api/users", ("email", "nina@"), ("name", "Nina"), ("password", "secret"))

    assert_refused(page, "email", "password")
    assert [typed(page, name) for name in ("email", "name", "password")] == ["nina@", "Nina", ""]
    assert "secret" not in text_of(page)


def test_a_wrong_password_keeps_the_form(client, artist):
    page = submit(client, "post", "/api/login", ("email", artist.email), ("password", "wrong"))

    assert_refused(page, status=401)
    assert typed(page, "email") == artist.email


def test_half_a_surrogate_pair_does_not_break_the_page(browser):
    body = r'{"title": "\ud83d", "cover_image": {}}'

    page = browser.post("/api/albums", data=body, content_type="application/json", **HTML)

    assert page.status_code == 400
    assert typed(page, "title") == "?"


def test_callers_without_permission_get_no_form(client, listener, album):
    client.force_login(listener)

    page = submit(client, "put", f"/api/albums/{album.pk}", ("title", "Mine"))

    assert page.status_code == 403
    assert field_groups(page) == {}


def test_a_refused_deletion_shows_the_error_and_the_form(browser, artist, other_artist):
    genre = Genre.objects.create(title="Jazz", maker=artist)
    Song.objects.create(title="Theirs", artist=other_artist, genre=genre)

    page = browser.delete(f"/api/genres/{genre.pk}", **HTML)
    own = browser.delete("/api/profile", **HTML)

    assert (page.status_code, field_groups(page)) == (403, {})
    assert "Other artists use this genre" in text_of(page)
    assert (own.status_code, typed(own, "name")) == (400, "The Artist")


def test_the_page_after_a_deletion_has_no_form(browser, album):
    page = browser.delete(f"/api/albums/{album.pk}", **HTML)

    assert 'role="status"' in text_of(page)
    assert field_groups(page) == {}


def test_forms_are_empty_after_a_creation(browser):
    page = submit(browser, "post", "/api/albums", ("title", "New"), cover_image=UNTOUCHED)

    assert page.status_code == 201
    assert field_groups(page).keys() >= {"title", "release_date", "cover_image"}
    assert typed(page, "title") == ""


@pytest.mark.parametrize("body", ['{"title": broken', '{"title": ""}', "[]", '"x"', "\ud83d"])
def test_refused_json_comes_back_as_it_was_typed(browser, body):
    sent = body.encode("utf-8", "replace").decode()

    page = browser.post("/api/albums", data=sent, content_type="application/json", **HTML)

    assert page.status_code == 400
    assert raw_content(page) == sent


@pytest.mark.parametrize("what", ["albums", "genres", "users", "profile", "song", "album", "genre"])
def test_the_suggested_raw_data_is_valid(browser, what, song, album, artist):
    genre = Genre.objects.create(title="Jazz", maker=artist)
    cover = send_image(browser_api(artist), f"/api/albums/{album.pk}", image_sample()).json()["cover_image"]
    paths = {"song": f"songs/{song.pk}", "album": f"albums/{album.pk}", "genre": f"genres/{genre.pk}"}
    path = f"/api/{paths.get(what, what)}"

    content = raw_content(browser.get(path, **HTML))
    method = "post" if what in ("albums", "genres", "users") else "put"
    answer = getattr(browser, method)(path, data=content, content_type="application/json")

    assert answer.status_code == (201 if method == "post" else 200), answer.content
    assert not {"audio_file", "cover_image", "profile_picture"} & json.loads(content).keys()
    assert browser.get(f"/api/albums/{album.pk}").json()["cover_image"] == cover
    assert browser.get(f"/api/songs/{song.pk}").json()["title"] == "A song"


def browser_api(user):
    from rest_framework.test import APIClient

    api = APIClient()
    api.force_authenticate(user)
    return api


def test_there_is_no_raw_data_form_if_a_file_is_required(browser):
    page = browser.get("/api/songs", **HTML)

    assert "audio_file" in field_groups(page)
    assert raw_content(page) is None


def test_a_refused_upload_is_validated_once(browser, monkeypatch):
    from music.catalogue.api import fields

    looked_at = []
    inspected = fields.Recording.inspected
    monkeypatch.setattr(fields.Recording, "inspected", lambda file: looked_at.append(file) or inspected(file))

    file = SimpleUploadedFile("a.wav", tone("wav"))
    page = browser.post("/api/songs", {"audio_file": file, "track_number": "0"}, **HTML)

    assert (page.status_code, len(looked_at)) == (400, 1)


def test_the_login_page_links_to_registration_and_password_reset(client, make_user, mailoutbox):
    page = text_of(client.get("/accounts/login", **HTML))
    assert "<title>Log in – Music</title>" in page
    register, forgotten = re.search(r'href="([^"]+)">Register.*?href="([^"]+)">Forgotten', page).groups()

    form = client.get(register, **HTML)
    assert {"email", "password", "name", "role"} <= field_groups(form).keys()
    made = submit(client, "post", register, ("email", "nina@example.com"), ("password", PASSWORD), ("username", ""))
    assert made.status_code == 201

    assert "email" in field_groups(client.get(forgotten, **HTML))
    done = submit(client, "post", forgotten, ("email", "nina@example.com"))
    assert 'role="status"' in text_of(done)
    assert [mail.to for mail in mailoutbox] == [["nina@example.com"]]


def test_every_page_has_the_name_and_the_icon(client, artist):
    for path in ("/", "/accounts/login", "/api/", "/api/songs", "/api/users", f"/api/artists/{artist.pk}"):
        page = text_of(client.get(path, **HTML))
        assert re.search(r"<title>[^<]*Music</title>", page), path
        assert "Django REST framework" not in page
        assert 'rel="icon" href="/static/favicon.svg"' in page
    assert client.get("/favicon.ico")["Location"] == "/static/favicon.svg"


def test_the_root_lists_every_address_without_an_id(client):
    from tests.routes.table import rows

    listed = {url.partition("/api/")[2] for url in client.get("/api/").json().values()}

    assert listed >= {
        *("songs", "albums", "genres", "artists", "users", "login", "logout", "profile", "sessions"),
        *("password/reset", "email/change", "songs/search", "songs/trending", "subscriptions", "docs", "schema"),
    }
    known = [row.path for row in rows() if row.path.startswith("/api/") and "404" not in row.cells[0]]
    assert {path.removeprefix("/api/") for path in known if not re.search(r"[{?]", path)} <= listed


def test_breadcrumbs_link_to_existing_pages(client):
    page = text_of(client.get("/api/password/reset", **HTML))

    assert "No Such Resource" not in page
    for address in re.findall(r'<li[^>]*><a href="(/api/[^"]*)">', page):
        assert "No Such Resource" not in text_of(client.get(address, **HTML))
