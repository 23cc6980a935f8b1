"""Putting a shelf together from several sources of songs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from music.catalogue.models import Song
from music.discovery.neighbours.lookup import Found
from music.discovery.trending.shelf import trending

# So many songs of one artist come before everybody else has had a turn.
IN_A_ROUND = 2


class Why(StrEnum):
    BECAUSE_YOU_PLAYED = "because_you_played"
    FOLLOWED_ARTIST = "followed_artist"
    FAVOURITE_GENRE = "favourite_genre"
    TRENDING = "trending"


@dataclass(frozen=True)
class Candidate:
    song: UUID
    artist: UUID
    why: Why = Why.TRENDING
    because_of: UUID | None = None


def first_of(songs: QuerySet[Song], number: int, why: Why = Why.TRENDING) -> list[Candidate]:
    return [Candidate(song, artist, why) for song, artist in songs.values_list("pk", "artist")[:number]]


def among(songs: QuerySet[Song], found: Sequence[Found]) -> list[Candidate]:
    """What was found in the table of neighbours, as far as it is among the songs, in the same order."""
    artists = dict(songs.filter(pk__in=[row.item for row in found]).values_list("pk", "artist"))
    return [
        Candidate(row.item, artists[row.item], Why.BECAUSE_YOU_PLAYED, row.because_of)
        for row in found
        if row.item in artists
    ]


def interleaved(*sources: tuple[float, Sequence[Candidate]]) -> list[Candidate]:
    """All candidates in turn, each source as often as its share says, and each song once."""
    placed = [(place / share, candidate) for share, source in sources for place, candidate in enumerate(source, 1)]
    placed.sort(key=lambda pair: pair[0])
    return without_repeats(candidate for _, candidate in placed)


def without_repeats(chosen: Iterable[Candidate]) -> list[Candidate]:
    first: dict[UUID, Candidate] = {}
    for candidate in chosen:
        first.setdefault(candidate.song, candidate)
    return list(first.values())


def varied(chosen: Iterable[Candidate]) -> list[Candidate]:
    """In rounds: an artist's third song comes after everybody's second, else the order stays."""
    seen: Counter[UUID] = Counter()
    rounds = []
    for candidate in chosen:
        rounds.append((seen[candidate.artist] // IN_A_ROUND, candidate))
        seen[candidate.artist] += 1
    return [candidate for _, candidate in sorted(rounds, key=lambda pair: pair[0])]


def with_trending(chosen: list[Candidate], limit: int, *more: QuerySet[Song]) -> list[Candidate]:
    """So many candidates; where there are too few, with what is trending among the songs."""
    for songs in more:
        if len(chosen) < limit:
            chosen = without_repeats([*chosen, *varied(first_of(trending(songs), limit + len(chosen)))])
    return chosen[:limit]


def load_songs(songs: QuerySet[Song], chosen: Sequence[Candidate]) -> list:
    """The songs' rows in this order. One query."""
    rows = {row.pk: row for row in songs.filter(pk__in=[candidate.song for candidate in chosen])}
    return [rows[candidate.song] for candidate in chosen if candidate.song in rows]
