"""What somebody typed, as the index is asked for it."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from itertools import chain

from rapidfuzz.distance import OSA

from core.folding import LONGEST as LONGEST_TEXT
from core.folding import fold_case
from music.discovery.search.index import And, Expression, Or, Prefix
from music.discovery.search.spelling import typos_allowed, typos_at_most
from music.discovery.search.terms import LONGEST, STEM, split_runs, two_words, whole_word
from music.discovery.search.words import AND, ARTICLES, UNSPACED, N, chunks, squashed

Spelling = Callable[[str], Expression]

MOST_CHARACTERS = 2000
# Words of longer queries have no typos and are not put together.
MOST_WORDS = 16
SHORT = 3
# Longer words may be two that were typed with a letter between them.
TWO_WORDS = 5
MOST_SPELLINGS = 16


class Query:
    def __init__(self, text: str):
        # A text that is too long to be folded whole is in no name.
        in_full = len(text) <= MOST_CHARACTERS and len(fold_case(text)) < LONGEST_TEXT
        self.parts = chunks(text) if in_full else []
        # For each word that may be mistyped, words of the index that may be meant, and how many typos that is.
        self.meant: dict[str, dict[str, int]] = {}

    @cached_property
    def words(self) -> list[str]:
        return list(chain.from_iterable(self.parts))

    @cached_property
    def squashed(self) -> str:
        return squashed("".join(self.words))

    @cached_property
    def runs(self) -> list[str]:
        """What a text of a script without spaces has to contain: its terms alone may stand apart."""
        return [word for word in self.words if len(word) > 1 and UNSPACED.search(word)]

    @cached_property
    def typos(self) -> dict[str, int]:
        """The words that may be mistyped, and how many typos each may have."""
        return self._typos(typos_allowed)

    @cached_property
    def typos_at_most(self) -> dict[str, int]:
        """How many typos each word may have where nothing has fewer."""
        if len(self.squashed) < SHORT:  # which with a typo may be any other
            return {}
        return self._typos(typos_at_most)

    def _typos(self, allowed: Callable[[str], int]) -> dict[str, int]:
        words = {word for word in self.words[:MOST_WORDS] if not UNSPACED.search(word)}
        return {word: typos for word in words if (typos := allowed(word))}

    def learn(self, known: Collection[str], *, at_most: bool = False) -> None:
        """Take words of the index for what may be meant: those that have something of what remains."""
        typos, number = (self.typos_at_most, 4 * MOST_SPELLINGS) if at_most else (self.typos, MOST_SPELLINGS)
        self.meant = {word: _nearest(word, known, typos[word], number) for word in typos}

    @property
    def whole(self) -> Expression:
        """Names that are the query. The index has no names that are longer than its terms."""
        return Or([f"={self.squashed}", f"@{self.squashed}"]) if len(self.squashed) < LONGEST else self.exact

    @property
    def whole_words(self) -> Expression:
        """Names and credits with each word of the query."""
        return self._each_word(_whole, _whole)

    @property
    def exact(self) -> Expression:
        """Names with each word of the query; the last may be the beginning of one."""
        return self._each_word(_word, _beginning)

    @property
    def closest(self) -> Expression:
        """As typed, but any word may be one of those that the fewest typos make it."""
        return self._fuzzy({word: _closest(others) for word, others in self.meant.items()})

    @property
    def fuzzy(self) -> Expression:
        """As typed, but any word may be mistyped."""
        return self._fuzzy(self.meant)

    @property
    def may_be_distant(self) -> bool:
        return bool(self.typos_at_most) or not ARTICLES.isdisjoint(self.words)

    @property
    def as_distantly_meant(self) -> Expression:
        """As meant, but for articles beside other words; and where a letter was typed for a space."""
        meant = {word: [*others, *_without_a_letter(word)] for word, others in self.meant.items()}
        return self._fuzzy(meant, left_out=ARTICLES if set(self.words) - ARTICLES else ())

    def _fuzzy(self, meant: Mapping[str, Collection[str]], left_out: Collection[str] = ()) -> Expression:
        def spellings(spell: Spelling) -> Spelling:
            return lambda word: Or([spell(word), *meant.get(word, ())])

        return self._each_word(spellings(_word), spellings(_beginning), left_out)

    def _each_word(self, spell: Spelling, spell_last: Spelling, left_out: Collection[str] = ()) -> Expression:
        """Each word, or a whole name or a word that it is when put together with words beside it."""
        last = len(self.words) - 1
        conditions = []
        for at, word in enumerate(self.words):
            if word in left_out:
                continue
            spellings = [(spell_last if at == last else spell)(word), two_words(word)]
            for joined in self.joined[at]:
                spellings += [joined, two_words(joined)]
            if word == N and 0 < at < last:
                spellings.append(AND)
            conditions.append(Or(spellings))
        return And(conditions)

    @cached_property
    def joined(self) -> list[list[str]]:
        """For each word what it is together with its neighbors, in queries of few words, and together with the other
        parts of a word with signs in it: "10 cc" may be 10cc, and "AC/DC" is ac and dc, or acdc.
        """
        number = len(self.words)
        runs = {(start, start + 2) for start in range(number - 1)} if number <= MOST_WORDS else set()
        start = 0
        for parts in self.parts:
            runs |= {(start, start + len(parts))} if len(parts) > 1 else set()
            start += len(parts)
        joined = {run: "".join(self.words[slice(*run)]) for run in sorted(runs)}
        return [
            [text for run, text in joined.items() if at in range(*run) and not UNSPACED.search(text)]
            for at in range(number)
        ]


def _whole(word: str) -> Expression:
    return _word(word) if UNSPACED.search(word) else whole_word(word)


def _word(word: str) -> Expression:
    *others, last = split_runs(word)
    # Words of a script without spaces may go on after the last one.
    ending: Expression = _beginning(last) if UNSPACED.search(last) else last
    return And([*others, ending]) if others else ending


def _beginning(word: str) -> Expression:
    """The word, or words that begin so."""
    *others, last = split_runs(word)
    if others:
        return And([*others, _beginning(last)])
    if UNSPACED.search(word):
        return Prefix(word) if len(word) == 1 else word
    # It takes long to gather the hits of all words that begin with a few letters. These are terms of their own.
    return Or([word, f"^{word}"]) if len(word) <= STEM else Prefix(word)


def _without_a_letter(word: str) -> set[str]:
    if len(word) < TWO_WORDS:
        return set()
    return {two_words(word[:at] + word[at + 1 :]) for at in range(1, len(word) - 1)}


def _closest(others: Mapping[str, int]) -> list[str]:
    fewest = min(others.values(), default=0)
    return [other for other, typos in others.items() if typos == fewest]


def _nearest(word: str, known: Collection[str], typos: int, number: int) -> dict[str, int]:
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
    return {other: typos_made for typos_made, *_, other in best[:number]}
