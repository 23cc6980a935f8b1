"""The terms that stand in the index. All but plain words begin with a sign that no word has.

=name      the whole name, or the name without its appendix, with no space in it
@credit    the whole name of the artist
^lo        a word begins so (one to three letters; longer beginnings are looked up among the words)
#song3     the shelf: its kind and, for songs, the number of digits of its play count
"""

from collections.abc import Iterator
from itertools import chain

from music.discovery.search.models import Kind
from music.discovery.search.words import UNSPACED, chunks, spoken, squashed

LONGEST = 60
STEM = 3
DIGITS = 10


def shelf(kind: str, play_count: int = 0) -> str:
    return f"#{kind}{min(len(str(play_count)), DIGITS)}" if kind == Kind.SONG else f"#{kind}"


def shelves(kind: str) -> list[str]:
    """All shelves of a kind, what is played most first."""
    return [shelf(kind, 10**n) for n in reversed(range(DIGITS))] if kind == Kind.SONG else [shelf(kind)]


def entry_terms(name: str, credit: str = "", *others: str, shelf: str) -> str:
    """The terms of something with this name and these other texts that it can be found by."""
    terms = {shelf, *whole_terms("=", name), *(whole_terms("@", credit) if credit else ())}
    for word in words_of(name, credit, *others):
        terms.add(word)
        terms.update(f"^{word[:length]}" for length in range(1, STEM + 1))
    return " ".join(sorted(terms))


def whole_terms(sign: str, text: str) -> list[str]:
    name, _, appendix = spoken(text).partition(" / ")
    return [sign + squashed(whole)[:LONGEST] for whole in {name, name + appendix}]


def words_of(*texts: str) -> set[str]:
    """The words of the texts; those with signs in them in parts and joined: "AC/DC" is ac, dc and acdc."""
    found: set[str] = set()
    for parts in chain.from_iterable(map(chunks, texts)):
        for part in {*parts, "".join(parts)}:
            found.update(word[:LONGEST] for word in split_runs(part))
    return found


def split_runs(word: str) -> Iterator[str]:
    """The word; of a script without spaces every two neighbouring characters, and the last one."""
    for number, run in enumerate(UNSPACED.split(word)):
        if number % 2:
            yield from (run[start : start + 2] for start in range(len(run)))
        elif run:
            yield run
