"""What somebody typed, as the index is asked for it."""

from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import chain

from rapidfuzz.distance import OSA

from music.discovery.search.index import All, Beginning, Expression, OneOf
from music.discovery.search.spelling import deletions, typos_allowed
from music.discovery.search.terms import LONGEST, STEM, split_runs
from music.discovery.search.words import UNSPACED, chunks, squashed

MOST_CHARACTERS = 200
MOST_WORDS = 16
MOST_WORDS_TO_DROP_ONE = 8
MOST_SPELLINGS = 16


class Query:
    def __init__(self, text: str):
        self.parts = chunks(text[:MOST_CHARACTERS])[:MOST_WORDS]
        # For each word that may be mistyped, words of the index that may be meant, and how many typos that is.
        self.meant: dict[str, dict[str, int]] = {}

    @cached_property
    def words(self) -> list[str]:
        return [word[:LONGEST] for word in chain.from_iterable(self.parts)]

    @cached_property
    def squashed(self) -> str:
        return squashed("".join(self.words))

    @cached_property
    def typos(self) -> dict[str, int]:
        """The words that may be mistyped, and how many typos each may have."""
        words = {word for word in self.words if not UNSPACED.search(word)}
        return {word: typos_allowed(word) for word in words if typos_allowed(word)}

    @cached_property
    def remains(self) -> set[str]:
        """What is left of these words, as the index has it of the words that may be meant."""
        return {rest for word, typos in self.typos.items() for rest in deletions(word, typos)}

    def learn(self, known: Collection[str]) -> None:
        """Words of the index that have something of what remains."""
        self.meant = {word: _nearest(word, known, typos) for word, typos in self.typos.items()}

    @property
    def whole(self) -> Expression:
        """Names that are the query."""
        whole = self.squashed[:LONGEST]
        return OneOf([f"={whole}", f"@{whole}"])

    @property
    def as_typed(self) -> Expression:
        """Names with each word of the query; the last may be the beginning of one."""
        return self._each_word({})

    @property
    def as_closely_meant(self) -> Expression:
        """As typed, but any word may be one of those that the fewest typos make it."""
        return self._each_word({word: _closest(others) for word, others in self.meant.items()})

    @property
    def as_meant(self) -> Expression:
        """As typed, but any word may be mistyped."""
        return self._each_word(self.meant)

    @property
    def in_part(self) -> Expression | None:
        """As meant, but for one word."""
        words = self.as_meant
        if not 1 < len(words) <= MOST_WORDS_TO_DROP_ONE:
            return None
        return OneOf(All(words[:at] + words[at + 1 :]) for at in range(len(words)))

    def _each_word(self, meant: Mapping[str, Collection[str]]) -> Expression:
        last = len(self.parts) - 1
        return All(self._part(parts, at == last, meant) for at, parts in enumerate(self.parts))

    def _part(self, parts: list[str], is_last: bool, meant: Mapping[str, Collection[str]]) -> Expression:
        """A word, or of one with signs in it all parts or the whole: "AC/DC" is ac and dc, or acdc."""
        spelled = All(self._word(word, is_last and at == len(parts) - 1, meant) for at, word in enumerate(parts))
        joined = "".join(parts)[:LONGEST]
        return spelled if len(parts) == 1 or UNSPACED.search(joined) else OneOf([spelled, joined])

    def _word(self, word: str, is_last: bool, meant: Mapping[str, Collection[str]]) -> Expression:
        *whole, last = split_runs(word[:LONGEST])
        ending = _beginning(last) if is_last or UNSPACED.search(last) else last
        others = meant.get(word, ())
        return OneOf([ending, *others]) if not whole else All([*whole, ending])


def _beginning(word: str) -> Expression:
    """The word, or words that begin so."""
    if UNSPACED.search(word):
        return Beginning(word) if len(word) == 1 else word
    # Ready-made beginnings, because it takes long to gather the hits of all words that begin with a few letters.
    return OneOf([word, f"^{word[:STEM]}"])


def _closest(others: Mapping[str, int]) -> list[str]:
    fewest = min(others.values(), default=0)
    return [other for other, typos in others.items() if typos == fewest]


def _nearest(word: str, known: Collection[str], typos: int) -> dict[str, int]:
    letters = set(word)
    near = {
        # Letters that have to be typed, left out, changed or swapped with the next.
        other: OSA.distance(word, other)
        for other in known
        if other != word and abs(len(other) - len(word)) <= typos and len(set(other) - letters) <= typos
    }
    # A first letter is seldom wrong, and swapped letters are common.
    best = sorted(
        (typos_made, other[0] != word[0], sorted(other) != sorted(word), other)
        for other, typos_made in near.items()
        if typos_made <= typos
    )
    return {other: typos_made for typos_made, *_, other in best[:MOST_SPELLINGS]}
