"""The terms under which the index stores an entry. All but plain words begin with a sign that no word contains.

love       a word of any text of the entry
==lovesong two adjacent words of the name or the credit joined
=name      the whole name without spaces; also without its appendix, and without its leading article
@credit    the same of the artist's name
^lo        a prefix of a word of the name or the credit, up to MAX_PREFIX letters
^love=     a whole word of the name or the credit
#song      the kind
#2         the popularity tier of a song: 1 for up to 99 plays, 2 for up to 9,999, and so on
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, pairwise

from music.discovery.search.models import Kind
from music.discovery.search.words import AND, UNSPACED, N, chunks, normalized, split_appendix, squashed, without_article

# A tsvector's lexeme has at most 2,046 bytes, which is 511 letters of four bytes. Words are shorter (core.folding).
MAX_TERM_LENGTH = 500
MAX_PREFIX = 8
TIERS = 5


def tier_term(play_count: int) -> str:
    """Return the term of a song's popularity tier. The triggers of migration 0005 compute the same in SQL."""
    return f"#{min((len(str(play_count)) + 1) // 2, TIERS)}"


def tier_terms(kind: str) -> list[str]:
    """Return terms, most popular tier first, of which every entry of the kind has exactly one."""
    return [f"#{number}" for number in range(TIERS, 0, -1)] if kind == Kind.SONG else [f"#{kind}"]


def entry_terms(kind: str, play_count: int | None, name: str, credit: str, *others: str) -> str:
    """Return the terms of an entry, sorted and separated by spaces.

    The sort order matters: SQLite's trigger replaces a song's popularity tier, which sorts first.
    """
    terms = {f"#{kind}", *whole_terms("=", name), *whole_terms("@", credit)}
    if kind == Kind.SONG:
        terms.add(tier_term(play_count or 0))
    shown = words_of(name) | words_of(credit)
    prefixes = (f"^{word[:length]}" for word in shown for length in range(1, min(len(word), MAX_PREFIX) + 1))
    pairs = chain(_pairs(name), _pairs(credit))
    return " ".join(sorted(terms.union(shown, map(whole_word, shown), prefixes, pairs, *map(words_of, others))))


def _pairs(text: str) -> Iterator[str]:
    """Yield each two adjacent words joined, so that "jay z" is found by "jayz"."""
    words = normalized(text).replace(" / ", " ").split()
    for one, other in pairwise(words):
        if not UNSPACED.search(one + other):
            yield two_words(one + other)


def two_words(joined: str) -> str:
    return f"=={joined}"


def whole_word(word: str) -> str:
    return f"^{word}="


def whole_terms(sign: str, text: str) -> set[str]:
    """Return the terms of a whole name: with and without its appendix, with and without its leading article."""
    name, _, appendix = normalized(text).partition(" / ")
    wholes = [[*name.split()], [*name.split(), *appendix.split()]]
    spelled = {"".join(words) for whole in wholes for words in (whole, without_article(whole))}
    return {sign + whole[:MAX_TERM_LENGTH] for whole in spelled if whole}


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a text. A word with signs gives its parts and their join: "AC/DC" is ac, dc and acdc."""
    found = list(_chunks_of(text))
    parts = chain.from_iterable({*parts, "".join(parts)} for parts in found)
    words = {word for part in parts for word in split_runs(part)}
    return frozenset(words | {AND} if [N] in found[1:-1] else words)


def unspaced_text(*texts: str) -> str:
    """Return what the texts say in scripts without spaces, for substring search.

    A word may begin and end anywhere there, so each chunk is stored whole, and each name without its spaces.
    """
    names = (squashed(normalized(text).replace("/", "")) for text in texts)
    joined = ("".join(parts) for text in texts for parts in _chunks_of(text))
    return " ".join(dict.fromkeys(chunk for chunk in chain(names, joined) if UNSPACED.search(chunk)))


def _chunks_of(text: str) -> Iterator[list[str]]:
    """Yield the chunks of the name, then those of its appendix. Separately, so that "÷ (Deluxe)" has the word "÷"."""
    return chain.from_iterable(map(chunks, split_appendix(text)))


def split_runs(word: str) -> Iterator[str]:
    """Yield the word, with each run of a script without spaces as its bigrams and its last character."""
    if word.isascii():
        yield word
        return
    for number, run in enumerate(UNSPACED.split(word)):
        if number % 2:  # the odd parts are what the pattern's group has matched
            yield from (run[start : start + 2] for start in range(len(run)))
        elif run:
            yield run
