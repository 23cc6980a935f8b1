"""Building blocks for a list of songs blended from several sources of candidates."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from music.catalogue.models import Song
from music.discovery.neighbours.lookup import ScoredNeighbour
from music.discovery.trending.queries import trending

# An artist's third song comes after two songs of every other artist.
SONGS_PER_ROUND = 2


class Reason(StrEnum):
    """The reason that the API gives for a recommendation."""

    BECAUSE_YOU_PLAYED = "because_you_played"
    FOLLOWED_ARTIST = "followed_artist"
    FAVORITE_GENRE = "favorite_genre"
    TRENDING = "trending"


@dataclass(frozen=True)
class Candidate:
    """A song that may be recommended. `because_of` is the song that it is a neighbour of, if it is one."""

    song: UUID
    artist: UUID
    reason: Reason = Reason.TRENDING
    because_of: UUID | None = None


def first_candidates(songs: QuerySet[Song], number: int, reason: Reason = Reason.TRENDING) -> list[Candidate]:
    return [Candidate(song, artist, reason) for song, artist in songs.values_list("pk", "artist")[:number]]


def neighbour_candidates(songs: QuerySet[Song], neighbours: Sequence[ScoredNeighbour]) -> list[Candidate]:
    """Return those of the neighbours that are among the songs, in their order. One query."""
    artists = dict(songs.filter(pk__in=[row.item for row in neighbours]).values_list("pk", "artist"))
    return [
        Candidate(row.item, artists[row.item], Reason.BECAUSE_YOU_PLAYED, row.because_of)
        for row in neighbours
        if row.item in artists
    ]


def interleaved(*sources: tuple[float, Sequence[Candidate]]) -> list[Candidate]:
    """Merge (share, candidates) so that each source fills its share of every stretch of the list; each song once."""
    placed = [(place / share, candidate) for share, source in sources for place, candidate in enumerate(source, 1)]
    placed.sort(key=lambda pair: pair[0])
    return without_repeats(candidate for _, candidate in placed)


def without_repeats(candidates: Iterable[Candidate]) -> list[Candidate]:
    first: dict[UUID, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.song, candidate)
    return list(first.values())


def spread_by_artist(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort the candidates into rounds of SONGS_PER_ROUND songs of each artist; within a round the order stays."""
    seen: Counter[UUID] = Counter()
    rounds = []
    for candidate in candidates:
        rounds.append((seen[candidate.artist] // SONGS_PER_ROUND, candidate))
        seen[candidate.artist] += 1
    return [candidate for _, candidate in sorted(rounds, key=lambda pair: pair[0])]


def filled_with_trending(candidates: list[Candidate], limit: int, *sources: QuerySet[Song]) -> list[Candidate]:
    """Return `limit` candidates; if there are too few, add trending songs of the first source, then of the next."""
    for songs in sources:
        if len(candidates) < limit:
            # Some of the trending songs may be candidates already, so that many more are read.
            more = first_candidates(trending(songs), limit + len(candidates))
            candidates = without_repeats([*candidates, *spread_by_artist(more)])
    return candidates[:limit]


def load_songs(songs: QuerySet[Song], candidates: Sequence[Candidate]) -> list:
    """Return the candidates' rows in their order. One query."""
    rows = {row.pk: row for row in songs.filter(pk__in=[candidate.song for candidate in candidates])}
    # A song may have been deleted since it was chosen.
    return [rows[candidate.song] for candidate in candidates if candidate.song in rows]
