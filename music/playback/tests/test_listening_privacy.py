"""Listening history and library are private, and hidden songs leave every answer to other callers."""

import json

import pytest

from music.models import Album, Song
from users.models import User

PERSONAL = [
    "/api/songs/liked",
    "/api/songs/favorites",
    "/api/songs/recently_played",
    "/api/albums/favorites",
    "/api/artists/following",
]


@pytest.fixture
def album_of_two(artist, make_song):
    album = Album.objects.create(title="An album", artist=artist)
    for title in ("One", "Two"):
        make_song(title, album=album)
    return album


@pytest.fixture
def fan(api_as, listener, album_of_two):
    """A client of a listener who has played, liked and favorited both songs and the album, and follows the artist."""
    client = api_as(listener)
    for song in album_of_two.songs.all():
        for action in ("play", "like", "favorite"):
            client.post(f"/api/songs/{song.pk}/{action}")
    client.post(f"/api/albums/{album_of_two.pk}/favorite")
    client.post(f"/api/artists/{album_of_two.artist_id}/follow")
    return client


def titles(client, path):
    return sorted(row.get("title") or row["name"] for row in client.get(path).data["results"])


@pytest.mark.usefixtures("fan")
@pytest.mark.parametrize("path", PERSONAL)
@pytest.mark.parametrize("attempt", ["", "?listener={0}", "?user={0}", "?listener_id={0}", "?follower={0}"])
def test_no_query_parameter_opens_the_lists_of_another_listener(api_as, other_artist, listener, artist, path, attempt):
    for stranger in (other_artist, artist):
        assert titles(api_as(stranger), path + attempt.format(listener.pk)) == []


@pytest.mark.usefixtures("fan")
@pytest.mark.parametrize("path", PERSONAL)
def test_staff_see_only_their_own_lists(api_as, make_user, path):
    staff = make_user("boss", is_staff=True, is_superuser=True)

    assert titles(api_as(staff), path) == []


def test_a_cursor_of_another_opens_nothing(fan, api_as, other_artist, artist):
    for path in PERSONAL[:3]:
        theirs = fan.get(f"{path}?limit=1").data["next"]
        assert api_as(other_artist).get(theirs).data["results"] == []


@pytest.mark.parametrize("path", PERSONAL)
def test_personal_lists_are_not_for_shared_caches(fan, path):
    answer = fan.get(path)

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))


HIDDEN = pytest.mark.parametrize("change", [{"visibility": "private"}, {"is_hidden": True}])


@HIDDEN
def test_a_hidden_song_leaves_all_lists_and_totals_of_other_callers(fan, api, artist, album_of_two, change):
    Song.objects.filter(title="One").update(**change)

    for path in ("/api/songs/liked", "/api/songs/favorites", "/api/songs/recently_played", "/api/songs"):
        assert titles(fan, path) == ["Two"]
    for path in (f"/api/artists/{artist.pk}/songs", f"/api/albums/{album_of_two.pk}/songs"):
        assert titles(fan, path) == titles(api, path) == ["Two"]
    for client in (fan, api):
        profile = client.get(f"/api/artists/{artist.pk}/profile").data
        assert (profile["song_count"], profile["total_plays"], profile["total_likes"]) == (1, 1, 1)
        assert [song["title"] for song in profile["top_songs"]] == ["Two"]
        assert client.get(f"/api/albums/{album_of_two.pk}").data["song_count"] == 1
    assert client.get("/api/artists").data["results"][0]["song_count"] == 1


@HIDDEN
def test_an_album_becomes_invisible_with_its_last_visible_song(fan, api, artist, album_of_two, change):
    album_of_two.songs.update(**change)

    assert titles(fan, "/api/albums/favorites") == []
    assert fan.get(f"/api/albums/{album_of_two.pk}").status_code == 404
    assert fan.get(f"/api/artists/{artist.pk}").data["album_count"] == 0


@HIDDEN
def test_the_artist_sees_a_hidden_song_in_lists_but_not_in_totals(api_as, artist, album_of_two, change):
    client, song = api_as(artist), album_of_two.songs.get(title="One")
    for action in ("play", "like", "favorite"):
        client.post(f"/api/songs/{song.pk}/{action}")
    Song.objects.filter(pk=song.pk).update(**change)

    for path in ("/api/songs/liked", "/api/songs/favorites", "/api/songs/recently_played"):
        assert titles(client, path) == ["One"]
    assert client.get(f"/api/artists/{artist.pk}/profile").data["total_likes"] == 0


def test_a_song_made_public_again_is_back_in_the_lists(fan):
    Song.objects.filter(title="One").update(visibility="private")
    Song.objects.filter(title="One").update(visibility="public")

    for path in ("/api/songs/liked", "/api/songs/favorites", "/api/songs/recently_played"):
        assert titles(fan, path) == ["One", "Two"]


@pytest.mark.parametrize("path", PERSONAL)
def test_songs_and_albums_of_a_suspended_artist_leave_all_lists(fan, artist, path):
    User.objects.filter(pk=artist.pk).update(is_active=False)

    assert titles(fan, path) == []


def test_a_suspended_follower_is_not_listed(fan, api_as, artist, listener):
    User.objects.filter(pk=listener.pk).update(is_active=False)

    assert api_as(artist).get("/api/artists/followers").data["results"] == []
    assert fan.get("/api/songs/liked").status_code == 401


@pytest.fixture
def known_by_addresses(artist, listener):
    """Give the artist and the listener their e-mail addresses as usernames, which is allowed."""
    for user in (artist, listener):
        user.username = user.email
        user.name = user.email
        user.save()


@pytest.mark.usefixtures("known_by_addresses")
def test_no_answer_holds_an_email_address(fan, api, api_as, artist, album_of_two):
    song = album_of_two.songs.first()
    public = [
        "/api/songs",
        f"/api/songs/{song.pk}",
        "/api/albums",
        f"/api/albums/{album_of_two.pk}",
        f"/api/albums/{album_of_two.pk}/songs",
        "/api/artists",
        "/api/artists?search=example",
        f"/api/artists/{artist.pk}",
        f"/api/artists/{artist.pk}/profile",
        f"/api/artists/{artist.pk}/songs",
        "/api/songs/search?q=artist",
        "/api/songs/trending",
        "/api/songs/random",
        "/api/songs/recommendations",
        f"/api/songs/{song.pk}/similar",
        f"/api/songs/radio?seed_artist={artist.pk}",
    ]
    answers = [client.get(path) for client in (api, fan) for path in public]
    answers += [fan.get(path) for path in PERSONAL]
    answers.append(api_as(artist).get("/api/artists/followers"))

    for answer in answers:
        assert answer.status_code == 200
        assert "@" not in json.dumps(answer.json())
        assert "example.com" not in json.dumps(answer.json())
    assert api.get(f"/api/artists/{artist.pk}").json()["username"] == "artist"
    assert api.get(f"/api/songs/{song.pk}").json()["artist"]["name"] == "artist"


@pytest.mark.usefixtures("known_by_addresses")
def test_an_email_address_finds_no_artist(api, artist):
    assert api.get(f"/api/artists?search={artist.email}").data["results"] == []
    assert api.get("/api/artists?search=example").data["results"] == []
    assert api.get("/api/artists?search=artist").json()["results"][0]["id"] == str(artist.pk)
