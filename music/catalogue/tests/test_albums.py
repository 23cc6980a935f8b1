import pytest

from music.models import Album, Song
from music.tests.samples import image_sample
from music.tests.uploads import code_of, give_audio, send_image, stored_files


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def path(album):
    return f"/api/albums/{album.pk}"


def test_an_album_has_exactly_the_documented_fields(api, artist, make_song, album, path):
    make_song(album=album, duration=100)
    make_song(album=album, duration=21)
    make_song(album=album, duration=1000, visibility="private")
    shown = api.get(path).json()
    assert shown == {
        "id": str(album.pk),
        "title": "An album",
        "artist": {"id": str(artist.pk), "username": "artist", "name": "The Artist"},
        "release_date": None,
        "cover_image": None,
        "song_count": 2,
        "duration": 121,
        "is_favorite": False,
        "created_at": shown["created_at"],
    }
    assert api.get("/api/albums").json()["results"] == [shown]


def test_an_artist_creates_an_album(artist_api, artist):
    answer = artist_api.post("/api/albums", {"title": "  Debut ", "release_date": "2020-02-29"})
    assert answer.status_code == 201
    assert (answer.json()["title"], answer.json()["release_date"]) == ("Debut", "2020-02-29")
    assert (answer.json()["song_count"], answer.json()["duration"]) == (0, 0)
    assert Album.objects.get().artist == artist


def test_an_album_can_be_created_with_a_cover(artist_api, api):
    answer = send_image(artist_api, "/api/albums", image_sample("PNG"), method="post", title="Debut")
    cover = answer.json()["cover_image"]
    assert cover == f"http://testserver/media/{Album.objects.get().cover_image.name}"
    picture = api.get(cover)
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert "immutable" in picture["Cache-Control"]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_each_image_format_is_accepted(artist_api, path, format):
    assert send_image(artist_api, path, image_sample(format)).json()["cover_image"].endswith(".jpg")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid_image"),
        (image_sample("BMP"), "invalid_image"),
        (image_sample() + bytes(10 * 2**20), "file_too_large"),
    ],
)
def test_an_invalid_image_is_refused_and_the_album_unchanged(artist_api, path, content, code):
    kept = send_image(artist_api, path, image_sample()).json()["cover_image"]
    assert code_of(send_image(artist_api, path, content, title="New")) == (code, "cover_image")
    assert artist_api.get(path).json()["cover_image"] == kept
    assert Album.objects.get().title == "An album"
    assert len(stored_files()) == 1


def test_an_image_of_exactly_10_mb_is_accepted(artist_api, path):
    content = image_sample() + bytes(10 * 2**20 - len(image_sample()))
    assert send_image(artist_api, path, content).status_code == 200


def test_a_new_cover_replaces_the_old(artist_api, path):
    old = send_image(artist_api, path, image_sample()).json()["cover_image"]
    new = send_image(artist_api, path, image_sample("PNG")).json()["cover_image"]
    assert new != old
    assert stored_files() == {Album.objects.get().cover_image.name}
    assert artist_api.get(old).status_code == 404


def test_a_cover_can_be_removed(artist_api, path):
    send_image(artist_api, path, image_sample())
    assert artist_api.patch(path, {"cover_image": None}).json()["cover_image"] is None
    assert stored_files() == set()


def test_put_requires_a_title_and_leaves_omitted_fields_unchanged(artist_api, path):
    send_image(artist_api, path, image_sample(), release_date="2001-01-01")
    assert code_of(artist_api.put(path, {"release_date": "2002-02-02"})) == ("required", "title")
    changed = artist_api.put(path, {"title": "New"}).json()
    assert (changed["title"], changed["release_date"]) == ("New", "2001-01-01")
    assert changed["cover_image"]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"title": "  "}, "blank", "title"),
        ({"title": "x" * 201}, "max_length", "title"),
        ({"title": None}, "null", "title"),
        ({"release_date": "2020-13-01"}, "invalid", "release_date"),
        ({"cover_image": "a.jpg"}, "invalid", "cover_image"),
        ({"cover_image": 5}, "invalid", "cover_image"),
    ],
)
def test_an_error_names_the_field_with_the_invalid_value(artist_api, path, body, code, field):
    assert code_of(artist_api.patch(path, body)) == (code, field)
    assert (code, field) in {
        (error["code"], error["attr"]) for error in artist_api.post("/api/albums", body).json()["errors"]
    }
    assert Album.objects.get().title == "An album"


def test_an_album_needs_a_title(artist_api):
    assert code_of(artist_api.post("/api/albums", {})) == ("required", "title")


@pytest.mark.parametrize("body", ["5", "null", "[]", '"title"'])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_body_that_is_not_an_object_is_400(artist_api, path, method, body):
    assert artist_api.generic(method, path, body, "application/json").status_code == 400


def test_deleting_an_album_deletes_its_cover_but_not_its_songs(artist_api, make_song, album, path):
    send_image(artist_api, path, image_sample())
    song = give_audio(make_song(album=album))
    assert artist_api.delete(path).status_code == 204
    assert not Album.objects.exists()
    assert Song.objects.get().album is None
    assert stored_files() == {song.audio_file.name}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_owner_may_change_or_delete(api, api_as, listener, other_artist, path, method):
    for caller in (listener, other_artist):
        assert code_of(getattr(api_as(caller), method)(path, {"title": "Mine"}), 403) == ("permission_denied", None)
    assert code_of(getattr(api, method)(path, {"title": "Mine"}), 401) == ("not_authenticated", None)
    assert Album.objects.get().title == "An album"


def test_only_artists_create_albums(api, api_as, listener):
    assert code_of(api_as(listener).post("/api/albums", {"title": "Mine"}), 403) == ("permission_denied", None)
    assert code_of(api.post("/api/albums", {"title": "Mine"}), 401) == ("not_authenticated", None)


def test_songs_of_an_album_are_in_track_order_with_unnumbered_ones_last(api, make_song, album):
    make_song("third", album=album, track_number=3)
    make_song("unnumbered", album=album)
    make_song("first", album=album, track_number=1)
    make_song("second", album=album, track_number=2)
    make_song("elsewhere")
    answer = api.get(f"/api/albums/{album.pk}/songs").json()
    assert [song["title"] for song in answer["results"]] == ["first", "second", "third", "unnumbered"]
    assert (answer["next"], answer["previous"]) == (None, None)


def test_songs_of_several_discs_are_ordered_by_disc_then_track(api, make_song, album):
    make_song("without a disc", album=album, track_number=1)
    for disc, track in [(2, 1), (1, 2), (2, 2), (1, 1), (32767, 32767)]:
        make_song(f"{disc}-{track}", album=album, disc_number=disc, track_number=track)
    make_song("1-?", album=album, disc_number=1)
    titles, address = [], f"/api/albums/{album.pk}/songs?limit=3"
    while address:
        page = api.get(address).json()
        titles += [song["title"] for song in page["results"]]
        address = page["next"]
    assert titles == ["1-1", "1-2", "1-?", "2-1", "2-2", "32767-32767", "without a disc"]


def test_songs_of_an_album_are_paginated(api, make_song, album):
    for number in (3, 1, 2):
        make_song(f"{number}", album=album, track_number=number)
    first = api.get(f"/api/albums/{album.pk}/songs?limit=2").json()
    second = api.get(first["next"]).json()
    assert [song["title"] for song in first["results"] + second["results"]] == ["1", "2", "3"]


@pytest.mark.parametrize("id", ["x", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("ending", ["", "/songs"])
def test_an_unknown_album_is_404(api, db, id, ending):
    assert code_of(api.get(f"/api/albums/{id}{ending}"), 404) == ("not_found", None)
