from datetime import timedelta

import pytest

from music.models import Album, ArtistCounts, Song, SongCounts
from users.models import User


def names(client, query=""):
    return [row["name"] for row in client.get(f"/api/artists{query}").json()["results"]]


def test_an_artist_is_shown_with_eight_fields(api, artist):
    assert api.get(f"/api/artists/{artist.pk}").json() == {
        "id": str(artist.pk),
        "username": "artist",
        "name": "The Artist",
        "profile_picture": None,
        "song_count": 0,
        "album_count": 0,
        "follower_count": 0,
        "is_following": False,
    }


def test_the_list_has_artists_by_name_and_no_listeners(api, artist, other_artist, listener):
    assert names(api) == ["Another Artist", "The Artist"]


def test_suspended_artists_are_invisible(api, artist, other_artist):
    artist.is_active = False
    artist.save()

    assert names(api) == ["Another Artist"]
    for path in ("", "/profile", "/songs"):
        assert api.get(f"/api/artists/{artist.pk}{path}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("unknown", ["0e5d3a4e-6a1c-4c59-9f49-7f6f0a3ad2ee", "not-a-uuid"])
@pytest.mark.parametrize("path", ["", "/profile", "/songs"])
def test_an_unknown_artist_is_a_404(api, unknown, path):
    assert api.get(f"/api/artists/{unknown}{path}").status_code == 404


def test_a_listener_is_not_found_as_an_artist(api, listener):
    for path in ("", "/profile", "/songs"):
        assert api.get(f"/api/artists/{listener.pk}{path}").status_code == 404


def test_search_ignores_accents_and_word_order(api, make_user):
    make_user("b", role="artist", name="Beyoncé Knowles")
    make_user("c", role="artist", name="Knowing Nobody")

    assert names(api, "?search=knowles beyonce") == ["Beyoncé Knowles"]
    assert names(api, "?search=know") == ["Beyoncé Knowles", "Knowing Nobody"]
    assert names(api, "?search=nothing like that") == []


@pytest.fixture
def three(make_user):
    """Three artists whose orders by name, by followers and by date of joining all differ."""
    for number, (name, followers) in enumerate((("Bea", 1), ("Éa", 7), ("carl", 3))):
        user = make_user(f"x{number}", role="artist", name=name)
        ArtistCounts.objects.filter(artist=user).update(follower_count=followers)
        User.objects.filter(pk=user.pk).update(date_joined=user.date_joined - timedelta(days=number))


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("name", ["Bea", "carl", "Éa"]),
        ("-name", ["Éa", "carl", "Bea"]),
        ("follower_count", ["Bea", "carl", "Éa"]),
        ("-follower_count", ["Éa", "carl", "Bea"]),
        ("date_joined", ["carl", "Éa", "Bea"]),
        ("-date_joined", ["Bea", "Éa", "carl"]),
    ],
)
def test_the_list_can_be_ordered_in_six_ways(api, ordering, found):
    assert names(api, f"?ordering={ordering}") == found

    page = api.get(f"/api/artists?ordering={ordering}&limit=2").json()
    rest = api.get(page["next"]).json()
    assert [row["name"] for row in page["results"] + rest["results"]] == found


@pytest.mark.django_db
def test_an_unknown_ordering_is_a_400_that_names_it(api):
    answer = api.get("/api/artists?ordering=email")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "ordering"


def test_artists_are_read_only(api_as, artist):
    client = api_as(artist)

    assert client.post("/api/artists", {}).status_code == 405
    assert client.patch(f"/api/artists/{artist.pk}", {}).status_code == 405
    assert client.delete(f"/api/artists/{artist.pk}").status_code == 405


def test_counts_and_totals_include_only_public_songs(api_as, api, artist, make_song):
    heard, unheard = (Album.objects.create(title=title, artist=artist) for title in ("A", "B"))
    Album.objects.create(title="Empty, and seen", artist=artist)
    make_song("One", play_count=5, like_count=2, album=heard)
    make_song("Two", play_count=7, like_count=1)
    make_song("Private", play_count=100, like_count=50, visibility="private", album=unheard)
    make_song("Hidden", play_count=100, like_count=50, is_hidden=True)

    for client in (api, api_as(artist)):
        profile = client.get(f"/api/artists/{artist.pk}/profile").json()
        assert (profile["song_count"], profile["album_count"]) == (2, 2)
        assert (profile["total_plays"], profile["total_likes"]) == (12, 3)
        assert [song["title"] for song in profile["top_songs"]] == ["Two", "One"]


def test_an_artist_without_songs_has_totals_of_zero(api, artist):
    profile = api.get(f"/api/artists/{artist.pk}/profile").json()

    assert (profile["total_plays"], profile["total_likes"], profile["top_songs"]) == (0, 0, [])


def test_top_songs_are_the_ten_most_played(api, artist, make_song):
    for plays in (3, 11, 5, 1, 9, 7, 2, 12, 4, 10, 6, 8):
        make_song(f"Played {plays}", play_count=plays)

    top = api.get(f"/api/artists/{artist.pk}/profile").json()["top_songs"]

    assert [song["play_count"] for song in top] == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


def test_totals_may_exceed_32_bits(api, artist, make_song):
    for _ in range(2):
        make_song(play_count=2**40)

    assert api.get(f"/api/artists/{artist.pk}/profile").json()["total_plays"] == 2**41


def test_the_profile_agrees_with_the_rows_after_hiding_and_deleting_songs(api, api_as, listener, artist, make_song):
    songs, client = [make_song(f"Song {number}") for number in range(3)], api_as(listener)
    for song in songs:
        client.post(f"/api/songs/{song.pk}/play")
        client.post(f"/api/songs/{song.pk}/like")
    api_as(artist).patch(f"/api/songs/{songs[0].pk}", {"visibility": "private"})
    api_as(artist).delete(f"/api/songs/{songs[1].pk}")

    profile = api.get(f"/api/artists/{artist.pk}/profile").json()

    left = Song.objects.public().filter(artist=artist)
    assert profile["song_count"] == left.count() == 1
    assert profile["total_plays"] == sum(SongCounts.objects.get(song=s).play_count for s in left) == 1
    assert profile["total_likes"] == 1


def test_songs_of_an_artist_come_newest_first(api, api_as, artist, listener, make_song):
    for title in ("First", "Second", "Third"):
        make_song(title)
    make_song("Private", visibility="private")
    path = f"/api/artists/{artist.pk}/songs"

    for client, found in (
        (api, ["Third", "Second", "First"]),
        (api_as(listener), ["Third", "Second", "First"]),
        (api_as(artist), ["Private", "Third", "Second", "First"]),
    ):
        assert [row["title"] for row in client.get(path).json()["results"]] == found


def test_a_new_artist_can_be_followed_at_once(api_as, listener, artist):
    answer = api_as(listener).patch("/api/profile", {"role": "artist"})

    assert answer.status_code == 200
    assert api_as(artist).post(f"/api/artists/{listener.pk}/follow").status_code == 201
    assert ArtistCounts.objects.get(artist=listener).follower_count == 1


def test_an_artist_who_gives_up_the_role_and_takes_it_again_has_the_same_followers(api_as, listener, artist):
    client, follower = api_as(artist), api_as(listener)
    follower.post(f"/api/artists/{artist.pk}/follow")

    client.patch("/api/profile", {"role": "user"})
    assert follower.get("/api/artists/following").json()["results"] == []
    assert follower.get(f"/api/artists/{artist.pk}").status_code == 404

    client.patch("/api/profile", {"role": "artist"})
    assert follower.get(f"/api/artists/{artist.pk}").json()["follower_count"] == 1
