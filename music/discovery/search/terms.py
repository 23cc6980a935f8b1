"""The terms that stand in the index. All but plain words begin with a sign that no word has.

=name      the whole name, or the name without its appendix, with no space in it
@credit    the whole name of the artist
^lo        a word of the name or the credit begins so (or is it), up to STEM letters
#song      the kind
#2         of songs the shelf, by how often they are played: 1 up to 99 times, 2 up to 9,999 times, and so on
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from music.discovery.search.models import Kind
from music.discovery.search.words import UNSPACED, chunks, spoken, squashed

LONGEST = 60
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
    return " ".join(sorted(terms.union(shown, stems, *map(words_of, others))))


def whole_terms(sign: str, text: str) -> set[str]:
    name, _, appendix = spoken(text).partition(" / ")
    return {sign + squashed(whole)[:LONGEST] for whole in (name, name + appendix) if whole}


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a text; those with signs in them in parts and joined: "AC/DC" is ac, dc and acdc."""
    parts = chain.from_iterable({*parts, "".join(parts)} for parts in chunks(text))
    return frozenset(word[:LONGEST] for part in parts for word in split_runs(part))


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
