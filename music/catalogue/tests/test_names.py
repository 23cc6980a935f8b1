"""Names and titles are cleaned and compared alike in the API, in the admin, and in imports."""

import csv

import pytest
from django.core.management import call_command

from conftest import PASSWORD
from music.models import Album, Genre, Song
from music.tests.samples import tone
from music.tests.uploads import code_of, upload
from users.models import User

pytestmark = pytest.mark.django_db

UNSEEN = ["\u200b", "\u3164", "\u2800", "\ufeff", "\u00ad", "\x07", "\u202e", "\u2067\u2069", "\u200d \u2060"]
CLEANED = [
    ("  Blue  ", "Blue"),
    ("Jo\u0301ga", "J\u00f3ga"),
    ("\ufeffHello", "Hello"),
    ("\x1bred\x07", "red"),
    ("\u202egnp\u202c", "gnp"),
    ("two\r\nlines", "two lines"),
    ("\u2764\ufe0f", "\u2764\ufe0f"),
]


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def written(artist_api, song, album, genre, artist):
    """Return a function that writes a text to a field, and returns the response and the stored value."""
    genre.maker = artist
    genre.save()
    paths = {
        "song": (f"/api/songs/{song.pk}", "title", lambda: Song.objects.get(pk=song.pk).title),
        "album": (f"/api/albums/{album.pk}", "title", lambda: Album.objects.get(pk=album.pk).title),
        "genre": (f"/api/genres/{genre.pk}", "title", lambda: Genre.objects.get(pk=genre.pk).title),
        "name": ("/api/profile", "name", lambda: User.objects.get(pk=artist.pk).name),
        "album of a song": (
            f"/api/songs/{song.pk}",
            "album_title",
            lambda: Song.objects.get(pk=song.pk).album.title,
        ),
        "genre of a song": (f"/api/songs/{song.pk}", "genre", lambda: Song.objects.get(pk=song.pk).genre.title),
    }

    def write(what, text, kind):
        path, field, stored = paths[what]
        return artist_api.patch(path, {field: text}, format=kind), field, stored

    return write


EVERYWHERE = pytest.mark.parametrize("what", ["song", "album", "genre", "name", "album of a song", "genre of a song"])


@EVERYWHERE
@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_names_are_stored_cleaned(written, what, kind):
    for text, cleaned in CLEANED:
        answer, _, stored = written(what, text, kind)
        assert (answer.status_code, stored()) == (200, cleaned)


@EVERYWHERE
@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_a_name_without_visible_characters_is_refused(written, what, text):
    answer, field, _ = written(what, text, "json")

    assert code_of(answer) == ("blank", field)


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
@pytest.mark.parametrize("field", ["name", "username"])
def test_registration_refuses_names_without_visible_characters(api, field, text):
    answer = api.post("/api/users", {"email": "nina@example.com", "password": PASSWORD, field: text})

    assert code_of(answer) == ("blank", field)


def test_a_username_with_invisible_characters_is_refused(api):
    body = {"email": "nina@example.com", "password": PASSWORD, "username": "ni\u3164na"}

    assert code_of(api.post("/api/users", body)) == ("invalid", "username")


def test_registration_stores_names_in_composed_unicode_form(api):
    body = {"email": "nina@example.com", "password": PASSWORD, "name": " Nin\u0303a\x07", "username": "nin\u0303a"}

    user = api.post("/api/users", body).json()["user"]

    assert (user["name"], user["username"]) == ("Ni\u00f1a", "ni\u00f1a")


@pytest.mark.parametrize("field", ["title", "album_title", "genre"])
def test_an_upload_with_an_invisible_name_is_refused(artist_api, field):
    assert code_of(upload(artist_api, tone("wav"), name="x.wav", **{field: "\u3164"})) == ("blank", field)
    assert not Song.objects.exists()


def test_an_empty_title_of_an_upload_counts_as_omitted(artist_api):
    assert upload(artist_api, tone("wav"), name="Low Tide.wav", title="  ").json()["title"] == "Low Tide"


def test_the_length_limit_applies_after_cleaning(artist_api):
    long = "\u0065\u0301" * 200

    assert artist_api.post("/api/albums", {"title": f"\u200b{long}\u200b"}).json()["title"] == "\u00e9" * 200
    assert code_of(artist_api.post("/api/albums", {"title": long + "x"})) == ("max_length", "title")


def test_one_genre_is_found_under_each_spelling(artist_api, song):
    artist_api.patch(f"/api/songs/{song.pk}", {"genre": "Jo\u0301ga\ufeff"})
    artist_api.patch(f"/api/songs/{song.pk}", {"genre": "J\u00f3ga"})

    assert Genre.objects.count() == 1
    assert code_of(artist_api.post("/api/genres", {"title": "\u202aJ\u00f3ga\u202c"})) == ("unique", "title")


def test_the_admin_cleans_names_too(client, make_user, artist, song):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    page = f"/admin/music/song/{song.pk}/change/"
    fields = {"artist": str(artist.pk), "visibility": "public", "track_number": ""}

    assert client.post(page, {"title": "\ufeffBlue\x07 \u202e", **fields}).status_code == 302
    assert Song.objects.get().title == "Blue"
    refused = client.post(page, {"title": "\u3164", **fields})

    assert refused.context["adminform"].form.errors["title"] == ["This field cannot be blank."]
    assert Song.objects.get().title == "Blue"


def test_an_import_cleans_names_and_reports_invisible_ones(tmp_path, capsys):
    path = tmp_path / "songs.csv"
    columns = ("title", "artist", "album", "genre", "release_date", "duration", "explicit", "play_count", "audio")
    rows = [
        {"title": "\ufeffBlue\x07", "artist": "Nin\u0303a\u202e", "album": "\u200bSea", "genre": "Jazz\ufeff"},
        {"title": "Blue", "artist": "Ni\u00f1a", "album": "Sea", "genre": "Jazz"},
        {"title": "\u3164", "artist": "Ni\u00f1a"},
        {"title": "Green", "artist": "\u200b"},
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)

    call_command("import_catalogue", str(path))

    song = Song.objects.get()
    assert (song.title, song.artist.name, song.album.title, song.genre.title) == ("Blue", "Ni\u00f1a", "Sea", "Jazz")
    reported = capsys.readouterr().err
    assert "line 4: title is empty." in reported
    assert "line 5: artist is empty." in reported
