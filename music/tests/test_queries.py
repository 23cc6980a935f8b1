"""A list costs the same number of queries with one row and with a full page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Album, Genre, Song, SongCounts
from music.tests.uploads import give_audio


def fill(artist, genre_maker, album, *, rows):
    """Create twice as many songs as `rows`, and as many albums and genres; half of the songs have their own."""
    albums = Album.objects.bulk_create(Album(title=f"Album {n}", artist=artist) for n in range(rows))
    genres = Genre.objects.bulk_create(Genre(title=f"Genre {rows}.{n}", maker=genre_maker) for n in range(rows))
    songs = Song.objects.bulk_create(
        Song(
            title=f"Song {n}",
            artist=artist,
            album=album if n % 2 else albums[n],
            genre=genres[n],
            audio_file=f"audio/{n}.mp3",
            visibility="public" if n % 3 else "private",
        )
        for n in range(rows)
    )
    songs += Song.objects.bulk_create(Song(title=f"On it {n}", artist=artist, album=album) for n in range(rows))
    SongCounts.objects.bulk_create(SongCounts(song=song) for song in songs)


def queries_of(client, path, *, rows) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"{path}?limit=100")
    assert len(answer.json()["results"]) == rows
    return len(queries)


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/songs", 2), ("/api/albums", 2), ("/api/genres", 2), ("/api/albums/{album}/songs", 3)],
)
@pytest.mark.parametrize("caller", ["anonymous", "listener", "artist"])
def test_a_full_page_takes_as_many_queries_as_one_row(api, api_as, artist, listener, other_artist, path, most, caller):
    client = {"anonymous": lambda: api, "listener": lambda: api_as(listener), "artist": lambda: api_as(artist)}[
        caller
    ]()
    album = Album.objects.create(title="The album", artist=other_artist)
    path = path.format(album=album.pk)
    Song.objects.bulk_create([Song(title="First", artist=other_artist, album=album)])
    SongCounts.objects.create(song=Song.objects.get())
    Genre.objects.create(title="First")
    with_one = queries_of(client, path, rows=1)
    fill(artist, other_artist, album, rows=130)
    assert queries_of(client, path, rows=100) == with_one <= most


@pytest.mark.parametrize("caller", ["anonymous", "listener"])
def test_a_single_song_or_album_takes_one_query_and_one_for_the_token(
    api, api_as, listener, make_song, album, genre, caller, django_assert_num_queries
):
    song = give_audio(make_song(album=album, genre=genre))
    client, most = (api, 1) if caller == "anonymous" else (api_as(listener), 2)
    with django_assert_num_queries(most):
        client.get(f"/api/songs/{song.pk}")
    with django_assert_num_queries(most):
        client.get(f"/api/albums/{album.pk}")
    with django_assert_num_queries(most):
        client.get(f"/api/songs/{song.pk}/stream")
