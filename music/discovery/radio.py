"""Lists of songs that go on from a song, an artist or a genre, the same for every listener."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import QuerySet

from music.catalogue.models import Genre, Song
from music.discovery.blend import (
    Candidate,
    filled_with_trending,
    first_candidates,
    interleaved,
    load_songs,
    neighbour_candidates,
    spread_by_artist,
    without_repeats,
)
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind
from music.discovery.trending.queries import trending
from users.models import User

MAX_NEIGHBOURS = 200
# The most trending songs of an artist or a genre, whose neighbours are taken.
SEEDS = 20

Excluded = Collection[UUID]


def songs_like(song: Song, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """Return songs similar to this one: neighbours blended with the artist's and the genre's, then trending songs."""
    fresh = songs.exclude(pk__in={song.pk, *exclude})
    blend = interleaved(
        (3, _neighbours([song.pk], fresh, limit, exclude)),
        (1, first_candidates(trending(fresh.filter(artist=song.artist_id)), limit)),
        (1, first_candidates(trending(fresh.filter(genre=song.genre_id)), limit) if song.genre_id else []),
    )
    return load_songs(songs, filled_with_trending(spread_by_artist(blend), limit, fresh))


def songs_like_those_of(artist: User, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """Return songs of the artist, alternating with neighbours of these songs, then trending songs."""
    fresh = songs.exclude(pk__in=exclude)
    # Excluded songs are still seeds: they have been played, and what is similar to them goes on.
    blend = interleaved(
        (1, first_candidates(trending(fresh.filter(artist=artist)), limit)),
        (1, _neighbours(_seeds(songs.filter(artist=artist)), fresh, limit, exclude)),
    )
    return load_songs(songs, filled_with_trending(spread_by_artist(blend), limit, fresh))


def songs_of_genre(genre: Genre, songs: QuerySet[Song], *, limit: int, exclude: Excluded = ()) -> list[Song]:
    """Return the genre's songs, most trending first, then neighbours of these songs, then trending songs."""
    fresh = songs.exclude(pk__in=exclude)
    candidates = spread_by_artist(first_candidates(trending(fresh.filter(genre=genre)), limit))
    if len(candidates) < limit:
        neighbours = _neighbours(_seeds(songs.filter(genre=genre)), fresh, limit, exclude)
        candidates = without_repeats([*candidates, *spread_by_artist(neighbours)])
    return load_songs(songs, filled_with_trending(candidates, limit, fresh))


def _seeds(songs: QuerySet[Song]) -> list[UUID]:
    return [candidate.song for candidate in first_candidates(trending(songs), SEEDS)]


def _neighbours(seeds: Sequence[UUID], songs: QuerySet[Song], limit: int, exclude: Excluded) -> list[Candidate]:
    """Return neighbours of the seeds and, if they are fewer than `limit`, neighbours of these neighbours."""
    taste = dict.fromkeys(seeds, 1.0)
    number = MAX_NEIGHBOURS + len(exclude)
    found = neighbours_of(taste, kind=ItemKind.SONG, limit=number)
    candidates = neighbour_candidates(songs, found)
    if found and len(candidates) < limit:
        taste |= {row.item: row.score for row in found[:MAX_NEIGHBOURS]}
        candidates += neighbour_candidates(songs, neighbours_of(taste, kind=ItemKind.SONG, limit=number))
    return candidates
