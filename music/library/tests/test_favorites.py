import pytest

from music.models import Album, FavoriteAlbum, FavoriteSong, SongCounts

KINDS = pytest.mark.parametrize("kind", ["songs", "albums"])


@pytest.fixture
def work(kind, song, album):
    return {"songs": song, "albums": album}[kind]


def rows_of(kind):
    return {"songs": FavoriteSong, "albums": FavoriteAlbum}[kind].objects


@KINDS
def test_adding_a_favorite_is_201_and_adding_it_again_200(api_as, listener, kind, work):
    client, path = api_as(listener), f"/api/{kind}/{work.pk}/favorite"

    answers = [client.post(path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert all(answer.json() == {"is_favorite": True} for answer in answers)
    assert rows_of(kind).get().listener == listener


@KINDS
def test_removing_is_204_whether_or_not_it_was_a_favorite(api_as, listener, artist, kind, work):
    client, path = api_as(listener), f"/api/{kind}/{work.pk}/favorite"
    api_as(artist).post(path)
    client.post(path)

    assert [client.delete(path).status_code for _ in range(2)] == [204, 204]

    assert rows_of(kind).get().listener == artist
    assert client.get(f"/api/{kind}/{work.pk}").json()["is_favorite"] is False


@KINDS
def test_is_favorite_depends_on_the_caller(api, api_as, listener, artist, kind, work):
    api_as(listener).post(f"/api/{kind}/{work.pk}/favorite")

    for client, is_favorite in ((api_as(listener), True), (api_as(artist), False), (api, False)):
        assert client.get(f"/api/{kind}/{work.pk}").json()["is_favorite"] is is_favorite
        assert client.get(f"/api/{kind}").json()["results"][0]["is_favorite"] is is_favorite


def test_a_favorite_is_not_a_like(api_as, listener, song):
    client = api_as(listener)
    client.post(f"/api/songs/{song.pk}/favorite")

    assert client.get(f"/api/songs/{song.pk}").json()["is_liked"] is False
    assert SongCounts.objects.get(song=song).like_count == 0


def test_favorite_songs_are_listed_last_added_first(api_as, listener, make_song):
    client, songs = api_as(listener), [make_song(f"Song {number}") for number in range(3)]
    for number in (1, 0, 2):
        client.post(f"/api/songs/{songs[number].pk}/favorite")

    rows = client.get("/api/songs/favorites").json()["results"]

    assert [row["title"] for row in rows] == ["Song 2", "Song 0", "Song 1"]
    assert all(row["is_favorite"] and row["added_at"].endswith("Z") for row in rows)


def test_favorite_albums_are_listed_last_added_first(api_as, listener, artist):
    client = api_as(listener)
    albums = [Album.objects.create(title=f"Album {number}", artist=artist) for number in range(3)]
    for number in (1, 0, 2):
        client.post(f"/api/albums/{albums[number].pk}/favorite")

    rows = client.get("/api/albums/favorites").json()["results"]

    assert [row["title"] for row in rows] == ["Album 2", "Album 0", "Album 1"]
    assert all(row["is_favorite"] and row["added_at"].endswith("Z") for row in rows)


def test_a_favorite_that_is_removed_and_added_again_is_the_newest(api_as, listener, make_song):
    client, first, second = api_as(listener), make_song("First"), make_song("Second")
    for song in (first, second):
        client.post(f"/api/songs/{song.pk}/favorite")
    client.delete(f"/api/songs/{first.pk}/favorite")
    client.post(f"/api/songs/{first.pk}/favorite")

    assert [row["title"] for row in client.get("/api/songs/favorites").json()["results"]] == ["First", "Second"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "delete"])
def test_invisible_songs_and_albums_cannot_become_favorites(api_as, listener, artist, private_song, make_song, method):
    only_private = Album.objects.create(title="Unheard", artist=artist)
    make_song(visibility="private", album=only_private)
    call = getattr(api_as(listener), method)

    assert call(f"/api/songs/{private_song.pk}/favorite").status_code == 404
    assert call(f"/api/albums/{only_private.pk}/favorite").status_code == 404
    assert call("/api/songs/not-a-uuid/favorite").status_code == 404
    assert not FavoriteSong.objects.exists()
    assert not FavoriteAlbum.objects.exists()


@KINDS
def test_favorites_need_authentication(api, kind, work):
    path = f"/api/{kind}/{work.pk}/favorite"

    for answer in (api.post(path), api.delete(path), api.get(f"/api/{kind}/favorites")):
        assert answer.status_code == 401
    assert not rows_of(kind).exists()


def test_songs_of_a_deleted_album_remain_favorites(api_as, listener, artist, album, make_song):
    song, client = make_song(album=album), api_as(listener)
    client.post(f"/api/songs/{song.pk}/favorite")
    client.post(f"/api/albums/{album.pk}/favorite")

    assert api_as(artist).delete(f"/api/albums/{album.pk}").status_code == 204

    assert client.get("/api/albums/favorites").json()["results"] == []
    assert [row["album"] for row in client.get("/api/songs/favorites").json()["results"]] == [None]
