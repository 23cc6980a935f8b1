import pytest

from music.models import Genre, Song
from music.tests.uploads import code_of


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def own_genre(artist):
    return Genre.objects.create(title="Dub", maker=artist)


@pytest.fixture
def path(own_genre):
    return f"/api/genres/{own_genre.pk}"


def test_genres_are_ordered_by_title_ignoring_case(api, db):
    for title in ("jazz", "Blues", "ambient", "Électro"):
        Genre.objects.create(title=title)
    listed = api.get("/api/genres").json()["results"]
    assert [genre["title"] for genre in listed] == ["ambient", "Blues", "Électro", "jazz"]
    assert listed[0].keys() == {"id", "title"}
    assert api.get(f"/api/genres/{listed[0]['id']}").json() == listed[0]


def test_an_artist_creates_a_genre(artist_api, artist):
    answer = artist_api.post("/api/genres", {"title": "  Dub  "})
    assert (answer.status_code, answer.json()["title"]) == (201, "Dub")
    assert Genre.objects.get().maker == artist


@pytest.mark.parametrize("title", ["Dub", "dub", " DUB ", "Ｄｕｂ"])
def test_an_existing_genre_title_is_refused_ignoring_case_and_space(artist_api, own_genre, title):
    assert code_of(artist_api.post("/api/genres", {"title": title})) == ("unique", "title")
    assert Genre.objects.count() == 1


def test_a_genre_may_keep_its_title_but_not_take_another_genres(artist_api, genre, path):
    assert code_of(artist_api.patch(path, {"title": "JAZZ"})) == ("unique", "title")
    assert artist_api.put(path, {"title": "DUB"}).json()["title"] == "DUB"


@pytest.mark.parametrize(
    ("title", "code"), [("", "blank"), ("  ", "blank"), (None, "null"), ("x" * 201, "max_length"), ([], "invalid")]
)
def test_a_bad_title_is_refused(artist_api, path, title, code):
    assert code_of(artist_api.post("/api/genres", {"title": title})) == (code, "title")
    assert code_of(artist_api.patch(path, {"title": title})) == (code, "title")


def test_a_genre_needs_a_title(artist_api, path):
    assert code_of(artist_api.post("/api/genres", {})) == ("required", "title")
    assert code_of(artist_api.put(path, {})) == ("required", "title")


def test_the_maker_may_change_a_genre_that_only_the_maker_uses(artist_api, make_song, own_genre, path):
    make_song(genre=own_genre)
    assert artist_api.patch(path, {"title": "Dub Techno"}).json()["title"] == "Dub Techno"
    assert artist_api.delete(path).status_code == 204
    assert Song.objects.get().genre is None


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_genre_used_by_others_cannot_be_changed(artist_api, make_song, other_artist, own_genre, path, visibility):
    make_song(artist=other_artist, genre=own_genre, visibility=visibility)
    for answer in (
        artist_api.patch(path, {"title": "Mine"}),
        artist_api.put(path, {"title": "Mine"}),
        artist_api.delete(path),
    ):
        assert code_of(answer, 403) == ("genre_in_use", None)
    assert Genre.objects.get().title == "Dub"
    assert artist_api.get(path).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_maker_may_change_or_delete_a_genre(api, api_as, listener, other_artist, path, method):
    for caller in (listener, other_artist):
        assert code_of(getattr(api_as(caller), method)(path, {"title": "Mine"}), 403) == ("permission_denied", None)
    assert code_of(getattr(api, method)(path, {"title": "Mine"}), 401) == ("not_authenticated", None)
    assert Genre.objects.get().title == "Dub"


def test_only_artists_create_genres(api, api_as, listener):
    assert code_of(api_as(listener).post("/api/genres", {"title": "Mine"}), 403) == ("permission_denied", None)
    assert code_of(api.post("/api/genres", {"title": "Mine"}), 401) == ("not_authenticated", None)


def test_a_genre_without_a_maker_cannot_be_changed(artist_api, genre):
    assert code_of(artist_api.delete(f"/api/genres/{genre.pk}"), 403) == ("permission_denied", None)


def test_an_unknown_genre_is_404(artist_api, db):
    for method in ("get", "put", "patch", "delete"):
        answer = getattr(artist_api, method)("/api/genres/00000000-0000-0000-0000-000000000000", {"title": "x"})
        assert code_of(answer, 404) == ("not_found", None)
