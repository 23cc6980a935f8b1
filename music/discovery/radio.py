"""Shelves that go on from a song, an artist or a genre, whoever listens."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import QuerySet

from music.catalogue.models import Genre, Song
from music.discovery.blend import (
    Candidate,
    among,
    first_of,
    interleaved,
    load_songs,
    varied,
    with_trending,
    without_repeats,
)
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind
from music.discovery.trending.shelf import trending
from users.models import User

NEIGHBOURS_LOOKED_AT = 200
SEEDS = 20

Excluded = Collection[UUID]


def songs_like(song: Song, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """Those of the songs that go with this one: its neighbours, its artist's, its genre's, then what is trending."""
    fresh = songs.exclude(pk__in={song.pk, *exclude})
    blend = interleaved(
        (3, _near([song.pk], fresh, limit, exclude)),
        (1, first_of(trending(fresh.filter(artist=song.artist_id)), limit)),
        (1, first_of(trending(fresh.filter(genre=song.genre_id)), limit) if song.genre_id else []),
    )
    return load_songs(songs, with_trending(varied(blend), limit, fresh))


def songs_like_those_of(artist: User, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """The artist's own in turn with what goes with them, then what is trending."""
    fresh = songs.exclude(pk__in=exclude)
    blend = interleaved(
        (1, first_of(trending(fresh.filter(artist=artist)), limit)),
        (1, _near(_seeds(songs.filter(artist=artist)), fresh, limit, exclude)),
    )
    return load_songs(songs, with_trending(varied(blend), limit, fresh))


def songs_of_genre(genre: Genre, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """The genre's songs, best first, then what goes with them, then what is trending."""
    fresh = songs.exclude(pk__in=exclude)
    chosen = varied(first_of(trending(fresh.filter(genre=genre)), limit))
    if len(chosen) < limit:
        near = _near(_seeds(songs.filter(genre=genre)), fresh, limit, exclude)
        chosen = without_repeats([*chosen, *varied(near)])
    return load_songs(songs, with_trending(chosen, limit, fresh))


def _seeds(songs: QuerySet[Song]) -> list[UUID]:
    return [candidate.song for candidate in first_of(trending(songs), SEEDS)]


def _near(seeds: Sequence[UUID], songs: QuerySet[Song], limit: int, exclude: Excluded) -> list[Candidate]:
    """Neighbours of the seeds and, once these are used up, neighbours of the neighbours."""
    taste = dict.fromkeys(seeds, 1.0)
    number = NEIGHBOURS_LOOKED_AT + len(exclude)
    found = neighbours_of(taste, kind=ItemKind.SONG, limit=number)
    near = among(songs, found)
    if found and len(near) < limit:
        taste |= {row.item: row.score for row in found[:NEIGHBOURS_LOOKED_AT]}
        near += among(songs, neighbours_of(taste, kind=ItemKind.SONG, limit=number))
    return near
