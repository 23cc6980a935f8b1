"""Visibility of private songs, of songs that an admin has hidden, and of the works of suspended artists."""

import pytest

from music.models import Song
from music.tests.uploads import body_of, give_audio


@pytest.fixture
def admin_api(api_as, make_user):
    return api_as(make_user("boss", is_staff=True, is_superuser=True))


@pytest.fixture(params=["private", "hidden", "suspended"])
def reason(request):
    return request.param


@pytest.fixture
def withheld(make_song, make_user, album, genre, reason, artist):
    """A song that only its artist may see, on an album with a public song of the same artist."""
    give_audio(make_song("In sight", album=album, genre=genre, duration=100))
    song = give_audio(make_song("Out of sight", album=album, genre=genre, duration=50))
    withhold(song, reason)
    return song


def withhold(song, reason):
    if reason == "private":
        Song.objects.filter(pk=song.pk).update(visibility="private")
    elif reason == "hidden":
        Song.objects.filter(pk=song.pk).update(is_hidden=True)
    else:
        type(song.artist).objects.filter(pk=song.artist_id).update(is_active=False)


@pytest.fixture
def others(api, api_as, listener, other_artist, admin_api):
    """Clients of all callers but the artist. In the API admins see what listeners see."""
    return [api, api_as(listener), api_as(other_artist), admin_api]


def titles(client, path, **parameters):
    return [row["title"] for row in client.get(path, parameters).json()["results"]]


def test_others_find_a_withheld_song_nowhere(others, withheld, album, reason):
    in_sight = [] if reason == "suspended" else ["In sight"]
    for client in others:
        assert client.get(f"/api/songs/{withheld.pk}").status_code == 404
        assert client.get(f"/api/songs/{withheld.pk}/stream").status_code == 404
        refusal = 401 if client is others[0] else 404
        assert client.patch(f"/api/songs/{withheld.pk}", {"title": "Mine"}).status_code == refusal
        assert titles(client, "/api/songs") == in_sight
        for parameters in (
            {"search": "sight"},
            {"title": "sight"},
            {"artist": "the artist"},
            {"artist": str(withheld.artist_id)},
            {"album": "an album"},
            {"genre": "jazz"},
            {"ordering": "play_count"},
        ):
            assert titles(client, "/api/songs", **parameters) == in_sight, parameters
        if reason != "suspended":
            assert titles(client, f"/api/albums/{album.pk}/songs") == in_sight


def test_totals_include_only_public_songs(others, api_as, artist, withheld, album, reason):
    if reason == "suspended":
        pytest.skip("the album is out of sight as well")
    for client in (*others, api_as(artist)):
        shown = client.get(f"/api/albums/{album.pk}").json()
        assert (shown["song_count"], shown["duration"]) == (1, 100)
        assert client.get("/api/albums").json()["results"][0]["duration"] == 100


def test_the_artist_sees_and_hears_a_withheld_song(api, api_as, artist, withheld, album, reason):
    if reason == "suspended":
        pytest.skip("a suspended artist can't log in")
    own = api_as(artist)
    shown = own.get(f"/api/songs/{withheld.pk}").json()
    assert body_of(api.get(shown["audio_file"])) == b"0123456789"
    assert body_of(own.get(f"/api/songs/{withheld.pk}/stream")) == b"0123456789"
    for path in ("/api/songs", f"/api/albums/{album.pk}/songs"):
        assert set(titles(own, path)) == {"In sight", "Out of sight"}


def test_a_suspended_artists_token_and_albums_stop_working(api, api_as, artist, make_song, album):
    own = api_as(artist)
    withhold(make_song(album=album), "suspended")
    assert own.get("/api/songs").status_code == 401
    assert api.get(f"/api/albums/{album.pk}").status_code == 404
    assert titles(api, "/api/albums") == []


def test_an_album_without_visible_songs_is_visible_to_its_artist_only(others, api_as, artist, make_song, album, reason):
    withhold(make_song(album=album), reason)
    for client in others:
        assert client.get(f"/api/albums/{album.pk}").status_code == 404
        assert client.get(f"/api/albums/{album.pk}/songs").status_code == 404
        assert titles(client, "/api/albums") == []
    if reason != "suspended":
        assert api_as(artist).get(f"/api/albums/{album.pk}").json()["song_count"] == 0
        assert titles(api_as(artist), "/api/albums") == ["An album"]


def test_an_empty_album_is_visible_to_all(others, album):
    for client in others:
        assert client.get(f"/api/albums/{album.pk}").json()["song_count"] == 0
        assert titles(client, "/api/albums") == ["An album"]


def test_a_change_shows_at_once(api, api_as, listener, artist, make_song, album):
    song = give_audio(make_song(album=album))
    etag = api.get(f"/api/songs/{song.pk}")["ETag"]
    api_as(artist).patch(f"/api/songs/{song.pk}", {"visibility": "private"})
    for client in (api, api_as(listener)):
        assert client.get(f"/api/songs/{song.pk}", HTTP_IF_NONE_MATCH=etag).status_code == 404
        assert client.get(f"/api/songs/{song.pk}/stream").status_code == 404
        assert client.get(f"/api/albums/{album.pk}").status_code == 404
    api_as(artist).patch(f"/api/songs/{song.pk}", {"visibility": "public"})
    assert api.get(f"/api/songs/{song.pk}", HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_an_artist_cannot_unhide_a_song_that_an_admin_has_hidden(api, api_as, artist, make_song):
    song = make_song(is_hidden=True)
    answer = api_as(artist).patch(f"/api/songs/{song.pk}", {"is_hidden": False, "visibility": "public"})
    assert answer.status_code == 200
    assert api.get(f"/api/songs/{song.pk}").status_code == 404


def test_album_and_genre_of_a_private_song_do_not_reveal_it(api, make_song, album, genre):
    make_song("Secret", album=album, genre=genre, visibility="private")
    make_song("Known", album=album)
    for path in (f"/api/albums/{album.pk}", f"/api/genres/{genre.pk}", "/api/songs", f"/api/albums/{album.pk}/songs"):
        assert "Secret" not in api.get(path).content.decode()
