"""A search text as expressions over the terms of the index, from exact to more and more forgiving."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from itertools import chain

from rapidfuzz.distance import OSA

from core.folding import LONGEST as LONGEST_TEXT
from core.folding import fold_case
from music.discovery.search.index import And, Expression, Or, Prefix
from music.discovery.search.spelling import distant_typos_allowed, typos_allowed
from music.discovery.search.terms import MAX_PREFIX, MAX_TERM_LENGTH, split_runs, two_words, whole_word
from music.discovery.search.words import AND, ARTICLES, UNSPACED, N, chunks, squashed

# Makes the expression that entries have to match for one word of the query.
WordMatcher = Callable[[str], Expression]

MAX_CHARACTERS = 2000
# Only this many words are spell-checked, and words of longer queries are not joined with their neighbours.
MAX_WORDS = 16
# With a typo, a shorter query could be any other.
MIN_LENGTH_FOR_DISTANT_TYPOS = 3
# From this length on, a word may be two words typed with a letter in place of the space.
MIN_LENGTH_OF_TWO_WORDS = 5
# Corrections that are tried for each word.
MAX_CORRECTIONS = 16


class Query:
    """A parsed search text. Expressions that allow typos use `corrections`, which `learn_corrections` fills."""

    def __init__(self, text: str):
        # Names are folded to LONGEST_TEXT characters, so a longer text cannot be in any of them.
        is_searchable = len(text) <= MAX_CHARACTERS and len(fold_case(text)) < LONGEST_TEXT
        self.parts = chunks(text) if is_searchable else []
        # For each word that may be mistyped: known words that may be meant, with their number of typos.
        self.corrections: dict[str, dict[str, int]] = {}

    @cached_property
    def words(self) -> list[str]:
        return list(chain.from_iterable(self.parts))

    @cached_property
    def squashed(self) -> str:
        return squashed("".join(self.words))

    @cached_property
    def substrings(self) -> list[str]:
        """Return the words in scripts without spaces, which an entry's text has to contain.

        Their terms are bigrams, and an entry with all bigrams may have them in different places.
        """
        return [word for word in self.words if len(word) > 1 and UNSPACED.search(word)]

    @cached_property
    def typos(self) -> dict[str, int]:
        """Return the words that may be mistyped, with the number of typos allowed in each."""
        return self._typos(typos_allowed)

    @cached_property
    def distant_typos(self) -> dict[str, int]:
        """Return the same for the last attempt, made after nothing was found with fewer typos."""
        if len(self.squashed) < MIN_LENGTH_FOR_DISTANT_TYPOS:
            return {}
        return self._typos(distant_typos_allowed)

    def _typos(self, allowed: Callable[[str], int]) -> dict[str, int]:
        words = {word for word in self.words[:MAX_WORDS] if not UNSPACED.search(word)}
        return {word: typos for word in words if (typos := allowed(word))}

    def learn_corrections(self, known: Collection[str], *, distant: bool = False) -> None:
        """Set `corrections` to those of the known words that are near enough to a word of the query."""
        typos, number = (self.distant_typos, 4 * MAX_CORRECTIONS) if distant else (self.typos, MAX_CORRECTIONS)
        self.corrections = {word: _nearest(word, known, typos[word], number) for word in typos}

    @property
    def whole(self) -> Expression:
        """Match names and artist names that equal the query. The index has none longer than its terms."""
        if len(self.squashed) >= MAX_TERM_LENGTH:
            return self.exact
        return Or([f"={self.squashed}", f"@{self.squashed}"])

    @property
    def whole_words(self) -> Expression:
        """Match names and credits that have every word of the query as a whole word."""
        return self._each_word(_match_whole_word, _match_whole_word)

    @property
    def exact(self) -> Expression:
        """Match entries that have every word of the query; the last may be a prefix."""
        return self._each_word(_match_word, _match_prefix)

    @property
    def closest(self) -> Expression:
        """Match like `exact`, and accept for each word its corrections with the fewest typos."""
        return self._fuzzy({word: _fewest_typos(others) for word, others in self.corrections.items()})

    @property
    def fuzzy(self) -> Expression:
        """Match like `exact`, and accept for each word all of its corrections."""
        return self._fuzzy(self.corrections)

    @property
    def has_distant_matches(self) -> bool:
        """Return whether `distant` can match more than `fuzzy`."""
        return bool(self.distant_typos) or not ARTICLES.isdisjoint(self.words)

    @property
    def distant(self) -> Expression:
        """Match like `fuzzy`, without articles beside other words, and with a letter typed in place of a space."""
        corrections = {word: [*others, *_without_a_letter(word)] for word, others in self.corrections.items()}
        return self._fuzzy(corrections, left_out=ARTICLES if set(self.words) - ARTICLES else ())

    def _fuzzy(self, corrections: Mapping[str, Collection[str]], left_out: Collection[str] = ()) -> Expression:
        def or_corrections(match: WordMatcher) -> WordMatcher:
            return lambda word: Or([match(word), *corrections.get(word, ())])

        return self._each_word(or_corrections(_match_word), or_corrections(_match_prefix), left_out)

    def _each_word(self, match: WordMatcher, match_last: WordMatcher, left_out: Collection[str] = ()) -> Expression:
        """Match entries that have each word but those left out, alone or joined with its neighbours."""
        last = len(self.words) - 1
        conditions = []
        for at, word in enumerate(self.words):
            if word in left_out:
                continue
            spellings = [(match_last if at == last else match)(word), two_words(word)]
            for joined in self.joined[at]:
                spellings += [joined, two_words(joined)]
            if word == N and 0 < at < last:
                spellings.append(AND)
            conditions.append(Or(spellings))
        return And(conditions)

    @cached_property
    def joined(self) -> list[list[str]]:
        """Return for each word what it is when joined: with a neighbour, or with the other parts between its signs.

        "10 cc" may be 10cc, and "AC/DC" is ac and dc, or acdc. Long queries are joined at their signs only.
        """
        number = len(self.words)
        runs = {(start, start + 2) for start in range(number - 1)} if number <= MAX_WORDS else set()
        start = 0
        for parts in self.parts:
            runs |= {(start, start + len(parts))} if len(parts) > 1 else set()
            start += len(parts)
        joined = {run: "".join(self.words[slice(*run)]) for run in sorted(runs)}
        return [
            [text for run, text in joined.items() if at in range(*run) and not UNSPACED.search(text)]
            for at in range(number)
        ]


def _match_whole_word(word: str) -> Expression:
    return _match_word(word) if UNSPACED.search(word) else whole_word(word)


def _match_word(word: str) -> Expression:
    *others, last = split_runs(word)
    # In a script without spaces a name may go on after the last character.
    ending: Expression = _match_prefix(last) if UNSPACED.search(last) else last
    return And([*others, ending]) if others else ending


def _match_prefix(word: str) -> Expression:
    """Match the word, or words that begin with it."""
    *others, last = split_runs(word)
    if others:
        return And([*others, _match_prefix(last)])
    if UNSPACED.search(word):
        return Prefix(word) if len(word) == 1 else word
    # A prefix search over a few letters has to merge the hits of very many terms. So short prefixes are terms
    # of their own.
    return Or([word, f"^{word}"]) if len(word) <= MAX_PREFIX else Prefix(word)


def _without_a_letter(word: str) -> set[str]:
    """Return the pairs of words that this word is if one of its inner letters was typed in place of a space."""
    if len(word) < MIN_LENGTH_OF_TWO_WORDS:
        return set()
    return {two_words(word[:at] + word[at + 1 :]) for at in range(1, len(word) - 1)}


def _fewest_typos(corrections: Mapping[str, int]) -> list[str]:
    fewest = min(corrections.values(), default=0)
    return [other for other, typos in corrections.items() if typos == fewest]


def _nearest(word: str, known: Collection[str], typos: int, number: int) -> dict[str, int]:
    """Return up to `number` of the known words within so many typos, likeliest first, with their number of typos.

    A typo is a missing, extra or wrong letter, or two adjacent letters swapped (optimal string alignment distance).
    """
    letters = set(word)
    near = {
        other: OSA.distance(word, other)
        for other in known
        # The cheap comparisons first: they rule out most words.
        if other != word and abs(len(other) - len(word)) <= typos and len(set(other) - letters) <= typos
    }
    # A first letter is seldom wrong, and swapped letters are common.
    best = sorted(
        (distance, other[0] != word[0], sorted(other) != sorted(word), other)
        for other, distance in near.items()
        if distance <= typos
    )
    return {other: distance for distance, *_, other in best[:number]}
