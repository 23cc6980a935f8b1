"""The paths that are measured, and their goals."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.catalogue import LISTENERS, Catalogue, token_of
from benchmarks.load import Request

SONG_IDS = 200
DEEP_PAGE = 2000


@dataclass(frozen=True)
class Measured:
    """A path and its goals.

    `against_f` is the least share of the requests that a bare view answers in the same processor time. `growth` is the
    greatest ratio of the processor time of a request at a million songs to that at ten thousand.
    """

    name: str
    requests: Callable[[Catalogue, str], list[Request]]
    against_f: float | None = None
    growth: float | None = None
    kept: bool = False  # answered by the server that keeps anonymous lists
    connections: int = 1  # so that a time is that of an answer, and not of a queue
    is_file: bool = False

    @property
    def file_name(self) -> str:
        return "".join(letter for letter in self.name if letter.isalnum())


def one(path: str, **request: str) -> Callable[[Catalogue, str], list[Request]]:
    return lambda catalogue, deep: [Request(path, **request)]


def details(catalogue: Catalogue, deep: str) -> list[Request]:
    return [Request(f"/api/songs/{pk}") for pk in public(catalogue, SONG_IDS)]


def searches(kind: str) -> Callable[[Catalogue, str], list[Request]]:
    """Return titles as listeners type them: whole, unfinished, with a typo, or with a word of the artist's name."""

    def requests(catalogue: Catalogue, deep: str) -> list[Request]:
        chance = random.Random(2)  # noqa: S311
        asked = []
        for _ in range(SONG_IDS):
            word, other = chance.choices(catalogue.words, cum_weights=catalogue.odds, k=2)
            typo = word[:2] + word[3:] if len(word) > 4 else word
            asked.append(chance.choice([word, word[:3], typo, f"{word}+{other[:3]}", f"{typo}+{other}"]))
        return [Request(f"/api/songs/search?q={text}&type={kind}") for text in asked]

    return requests


def similar(catalogue: Catalogue, deep: str) -> list[Request]:
    return [Request(f"/api/songs/{pk}/similar") for pk in public(catalogue, SONG_IDS)]


def as_listeners(path: str) -> Callable[[Catalogue, str], list[Request]]:
    return lambda catalogue, deep: [Request(path, token=token_of(place)) for place in range(SONG_IDS)]


def plays_of_one(catalogue: Catalogue, deep: str) -> list[Request]:
    [song] = public(catalogue, 1)
    return [Request(f"/api/songs/{song}/play", "POST", token_of(place)) for place in range(LISTENERS)]


def plays_of_many(catalogue: Catalogue, deep: str) -> list[Request]:
    songs = public(catalogue, LISTENERS)
    pairs = zip(songs, range(LISTENERS), strict=False)
    return [Request(f"/api/songs/{song}/play", "POST", token_of(place)) for song, place in pairs]


def stream(**request: str) -> Callable[[Catalogue, str], list[Request]]:
    return lambda catalogue, deep: [Request(f"/api/songs/{catalogue.songs[1]}/stream", **request)]


def public(catalogue: Catalogue, number: int) -> list[str]:
    places = [place for place in range(len(catalogue.songs)) if place % 50]
    return [str(catalogue.songs[place]) for place in places[:: max(len(places) // number, 1)][:number]]


PATHS = [
    Measured("list page", one("/api/songs"), 0.20, 2),
    Measured("list page, anonymous and hot", one("/api/songs"), 0.65, 1.1, kept=True),
    Measured(f"page {DEEP_PAGE:,} by its cursor", lambda catalogue, deep: [Request(deep)], None, 2),
    Measured("list page with a token", as_listeners("/api/songs")),
    # The same query for everybody, so that the difference is the token's.
    Measured("genres", one("/api/genres")),
    Measured("genres with a token", as_listeners("/api/genres")),
    Measured("albums", one("/api/albums"), 0.20, 2),
    Measured("artists", one("/api/artists"), 0.20, 2),
    Measured("detail", details, 0.25, 1.3),
    Measured("trending", one("/api/songs/trending"), 0.20, 2),
    Measured("random", one("/api/songs/random"), 0.12, 4),
    Measured("similar", similar),
    Measured("recommendations", as_listeners("/api/songs/recommendations")),
    Measured("search, songs", searches("song"), None, 4),
    Measured("search, all kinds", searches("all"), None, 4),
    Measured("play, spread over songs", plays_of_many, connections=16),
    Measured("play, one hot song", plays_of_one, growth=1.2, connections=16),
    Measured("stream, 5 MB", stream(), 0.9, 1, is_file=True),
    Measured("stream, 64 KiB of it", stream(range="bytes=0-65535"), 0.9, 1, is_file=True),
]
