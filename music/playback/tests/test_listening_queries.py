"""The caller's relation to each row takes no query of its own: a page of 100 takes as many queries as a page of 1."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from music.models import (
    Album,
    ArtistCounts,
    ArtistFollow,
    FavoriteAlbum,
    FavoriteSong,
    RecentlyPlayed,
    Song,
    SongCounts,
    SongLike,
)
from users.models import User, UserProfile

# One query for the token with its user, one for the page, and one more for the album or artist in the path.
LISTS = {
    "/api/songs/liked": 2,
    "/api/songs/favorites": 2,
    "/api/songs/recently_played": 2,
    "/api/albums/favorites": 2,
    "/api/artists": 2,
    "/api/artists/following": 2,
    "/api/artists/followers": 2,
    "/api/artists/{artist}/songs": 3,
    "/api/albums/{album}/songs": 3,
}


def make_songs(artist: User, album: Album, number: int) -> list[Song]:
    songs = Song.objects.bulk_create(Song(title=f"Song {index}", artist=artist, album=album) for index in range(number))
    SongCounts.objects.bulk_create(SongCounts(song=song) for song in songs)
    return songs


def make_artists(number: int) -> list[User]:
    users = User.objects.bulk_create(
        User(email=None, username=f"a{index}", name=f"A {index}", role="artist") for index in range(number)
    )
    UserProfile.objects.bulk_create(UserProfile(user=user) for user in users)
    ArtistCounts.objects.bulk_create(ArtistCounts(artist=user) for user in users)
    return users


@pytest.fixture
def world(artist, other_artist, album) -> Callable:
    """`world(number)`: so many rows of each kind, all liked, favorited, played and followed by `artist`, the caller."""

    def fill(number):
        songs = make_songs(other_artist, album, number)
        albums = Album.objects.bulk_create(Album(title="A", artist=other_artist) for _ in range(number))
        others = make_artists(number)
        now = timezone.now()
        SongLike.objects.bulk_create(SongLike(listener=artist, song=song) for song in songs)
        FavoriteSong.objects.bulk_create(FavoriteSong(listener=artist, song=song) for song in songs)
        FavoriteAlbum.objects.bulk_create(FavoriteAlbum(listener=artist, album=each) for each in albums)
        ArtistFollow.objects.bulk_create(ArtistFollow(follower=artist, artist=other) for other in others)
        ArtistFollow.objects.bulk_create(ArtistFollow(follower=other, artist=artist) for other in others)
        RecentlyPlayed.objects.bulk_create(
            RecentlyPlayed(listener=artist, song=song, last_played_at=now, last_counted_at=now) for song in songs
        )

    return fill


@pytest.mark.parametrize("number", [1, 100])
@pytest.mark.parametrize("path", LISTS)
def test_a_page_of_100_takes_as_many_queries_as_a_page_of_1(api_as, artist, other_artist, album, world, path, number):
    world(number)
    client = api_as(artist)

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path.format(artist=other_artist.pk, album=album.pk), {"limit": 100})

    assert answer.status_code == 200
    assert len(answer.data["results"]) >= number
    assert len(queries) == LISTS[path], [query["sql"] for query in queries]


@pytest.mark.parametrize("number", [1, 100])
def test_a_profile_takes_three_queries_for_any_number_of_songs(api_as, artist, other_artist, world, number):
    world(number)
    client = api_as(artist)

    with CaptureQueriesContext(connection) as queries:
        profile = client.get(f"/api/artists/{other_artist.pk}/profile").data

    assert (profile["song_count"], profile["is_following"]) == (number, False)
    assert all(song["is_liked"] and song["is_favorite"] for song in profile["top_songs"])
    assert len(queries) == 3
