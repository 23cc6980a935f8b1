"""The terms that stand in the index. All but plain words begin with a sign that no word has.

love       a word of any of its texts
==lovesong two neighbouring words of the name or the credit put together
=name      the whole name, with no space in it: also without its appendix, and without the article it begins with
@credit    the same of the name of the artist
^lo        a word of the name or the credit begins so (or is it), up to STEM letters
^love=     a word of the name or the credit
#song      the kind
#2         of songs the shelf, by how often they are played: 1 up to 99 times, 2 up to 9,999 times, and so on
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, pairwise

from music.discovery.search.models import Kind
from music.discovery.search.words import AND, UNSPACED, N, chunks, spoken, squashed, without_appendix, without_article

# PostgreSQL takes no longer one, if each letter takes four bytes. Words are shorter (see core.folding).
LONGEST = 500
STEM = 8
SHELVES = 5


def shelf(play_count: int) -> str:
    # As music_shelve of migration 0005 has it.
    return f"#{min((len(str(play_count)) + 1) // 2, SHELVES)}"


def shelves(kind: str) -> list[str]:
    """Terms that all things of a kind have one of, what is played most first."""
    return [f"#{number}" for number in range(SHELVES, 0, -1)] if kind == Kind.SONG else [f"#{kind}"]


def entry_terms(kind: str, play_count: int | None, name: str, credit: str, *others: str) -> str:
    """The terms of something with this name, by this artist, and with these other texts that it is found by.

    They are sorted: the shelf is the first of them.
    """
    terms = {f"#{kind}", *whole_terms("=", name), *whole_terms("@", credit)}
    if kind == Kind.SONG:
        terms.add(shelf(play_count or 0))
    shown = words_of(name) | words_of(credit)
    stems = (f"^{word[:length]}" for word in shown for length in range(1, min(len(word), STEM) + 1))
    pairs = chain(_pairs(name), _pairs(credit))
    return " ".join(sorted(terms.union(shown, map(whole_word, shown), stems, pairs, *map(words_of, others))))


def _pairs(text: str) -> Iterator[str]:
    words = spoken(text).replace(" / ", " ").split()
    for one, other in pairwise(words):
        if not UNSPACED.search(one + other):
            yield two_words(one + other)


def two_words(joined: str) -> str:
    return f"=={joined}"


def whole_word(word: str) -> str:
    return f"^{word}="


def whole_terms(sign: str, text: str) -> set[str]:
    name, _, appendix = spoken(text).partition(" / ")
    wholes = [[*name.split()], [*name.split(), *appendix.split()]]
    spelled = {"".join(words) for whole in wholes for words in (whole, without_article(whole))}
    return {sign + whole[:LONGEST] for whole in spelled if whole}


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a text; those with signs in them in parts and joined: "AC/DC" is ac, dc and acdc."""
    found = list(_chunks_of(text))
    parts = chain.from_iterable({*parts, "".join(parts)} for parts in found)
    words = {word for part in parts for word in split_runs(part)}
    return frozenset(words | {AND} if [N] in found[1:-1] else words)


def unspaced_text(*texts: str) -> str:
    """What the texts say in scripts without spaces, where a word may begin and end anywhere: each chunk in one."""
    names = (squashed(spoken(text).replace("/", "")) for text in texts)
    joined = ("".join(parts) for text in texts for parts in _chunks_of(text))
    return " ".join(dict.fromkeys(chunk for chunk in chain(names, joined) if UNSPACED.search(chunk)))


def _chunks_of(text: str) -> Iterator[list[str]]:
    """The name and the appendix each have their chunks: of "÷ (Deluxe)" the sign is one."""
    return chain.from_iterable(map(chunks, without_appendix(text)))


def split_runs(word: str) -> Iterator[str]:
    """The word; of a script without spaces every two neighbouring characters, and the last one."""
    if word.isascii():
        yield word
        return
    for number, run in enumerate(UNSPACED.split(word)):
        if number % 2:
            yield from (run[start : start + 2] for start in range(len(run)))
        elif run:
            yield run
