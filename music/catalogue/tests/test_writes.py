"""Rules that hold for all writes and all lists: unknown fields, omitted fields, invalid parameters."""

import pytest

from music.models import Genre
from music.tests.samples import image_sample
from music.tests.uploads import code_of, give_audio, send_image

pytestmark = pytest.mark.django_db

BODIES = pytest.mark.parametrize("kind", ["json", "multipart"])
WRITES = pytest.mark.parametrize("method", ["put", "patch"])
LISTS = [
    *("songs", "songs/trending", "songs/random", "songs/recommendations", "songs/liked", "songs/favorites"),
    *("songs/recently_played", "songs/search?q=a", "albums", "albums/favorites", "genres", "artists"),
    *("artists/following", "sessions", "subscriptions", "subscriptions/invoices"),
]


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def things(song, album, genre, artist):
    """Path and a writable field of an object of each kind that the artist may change."""
    Genre.objects.filter(pk=genre.pk).update(maker=artist)
    return {
        "song": (f"/api/songs/{song.pk}", "title"),
        "album": (f"/api/albums/{album.pk}", "title"),
        "genre": (f"/api/genres/{genre.pk}", "title"),
        "profile": ("/api/profile", "name"),
    }


def shown(answer):
    """Return the object in a response; a profile has it under "user"."""
    assert answer.status_code == 200, answer.content
    return answer.json().get("user") or answer.json()


@BODIES
@WRITES
@pytest.mark.parametrize("what", ["song", "album", "genre", "profile"])
def test_unknown_and_read_only_fields_are_ignored(artist_api, things, what, method, kind):
    path, field = things[what]
    before = shown(artist_api.get(path))
    extra = {"id": "x", "artist": "x", "user": "x", "play_count": "9", "created_at": "never", "no_such_field": "x"}

    after = shown(getattr(artist_api, method)(path, {field: "New", **extra}, format=kind))

    ignored = {"id", "artist", "play_count", "created_at", "email"} & before.keys()
    assert after[field] == "New"
    assert {name: after[name] for name in ignored} == {name: before[name] for name in ignored}


@BODIES
@pytest.mark.parametrize("what", ["song", "album", "genre"])
def test_put_reports_a_missing_title_with_all_other_errors(artist_api, things, what, kind):
    path, _ = things[what]
    before = artist_api.get(path).json()

    assert code_of(artist_api.put(path, {"no_such_field": "x"}, format=kind)) == ("required", "title")
    if what != "genre":
        answer = artist_api.put(path, {"release_date": "never"}, format=kind)
        assert {(error["code"], error["attr"]) for error in answer.json()["errors"]} == {
            ("required", "title"),
            ("invalid", "release_date"),
        }
    assert artist_api.get(path).json() == before


@BODIES
def test_put_leaves_omitted_fields_unchanged(artist_api, song, album, kind):
    give_audio(song)
    song.album, song.explicit, song.licensing_info, song.track_number = album, True, "Mine", 7
    song.save()
    send_image(artist_api, f"/api/albums/{album.pk}", image_sample(), release_date="2001-01-01")
    paths = [f"/api/songs/{song.pk}", f"/api/albums/{album.pk}"]
    changing = {"title", "updated_at"}

    for path in paths:
        before = artist_api.get(path).json()
        after = artist_api.put(path, {"title": "New"}, format=kind).json()
        kept = before.keys() - changing
        if "songs" in path:
            assert after["audio_file"]
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@BODIES
def test_put_of_a_profile_requires_no_field(artist_api, artist, kind):
    before = artist_api.get("/api/profile").json()

    assert artist_api.put("/api/profile", {}, format=kind).json() == before


@pytest.mark.parametrize("path", LISTS)
def test_unknown_query_parameters_are_ignored(artist_api, path):
    sign = "&" if "?" in path else "?"

    answer = artist_api.get(f"/api/{path}{sign}no_such_parameter=1&page=x&_=1")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        *((path, "limit=0") for path in LISTS if path != "subscriptions/invoices"),
        *((path, "limit=many") for path in LISTS),
        *((path, "cursor=x") for path in ("songs", "albums", "genres", "artists", "songs/liked", "sessions")),
        *((path, "ordering=loudness") for path in ("songs", "albums", "artists")),
        *((path, "date_from=2001-13-01") for path in ("songs", "albums")),
        *((path, "date_to=yesterday") for path in ("songs", "albums")),
        ("songs", "explicit=perhaps"),
        ("songs/trending", "time_range=decade"),
        ("songs/search?q=a", "type=person"),
    ],
)
def test_known_query_parameters_with_invalid_values_are_refused(artist_api, path, parameter):
    sign = "&" if "?" in path else "?"

    answer = artist_api.get(f"/api/{path}{sign}{parameter}")

    assert code_of(answer)[1] == parameter.partition("=")[0]
