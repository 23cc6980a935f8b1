"""What the caller has to do with each row costs no query a row: a page of 100 takes as many as a page of 1."""

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

# The token with its user, and the page; one more where the list hangs on an album or an artist.
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
    """`artist` as the caller, who has done everything with the given number of rows of every kind."""

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
def test_a_page_takes_the_same_queries_whatever_its_length(api_as, artist, other_artist, album, world, path, number):
    world(number)
    client = api_as(artist)

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path.format(artist=other_artist.pk, album=album.pk), {"limit": 100})

    assert answer.status_code == 200
    assert len(answer.data["results"]) >= number
    assert len(queries) == LISTS[path], [query["sql"] for query in queries]


@pytest.mark.parametrize("number", [1, 100])
def test_a_profile_takes_three_queries_whatever_the_songs(api_as, artist, other_artist, world, number):
    world(number)
    client = api_as(artist)

    with CaptureQueriesContext(connection) as queries:
        profile = client.get(f"/api/artists/{other_artist.pk}/profile").data

    assert (profile["song_count"], profile["is_following"]) == (number, False)
    assert all(song["is_liked"] and song["is_favorite"] for song in profile["top_songs"])
    assert len(queries) == 3
