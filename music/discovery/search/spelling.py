"""Spelling correction by symmetric deletions, as in W. Garbe's SymSpell.

A known word and a mistyped one share a term once letters are deleted from both, so the database only compares terms
for equality. The edit distance is computed afterwards, for the few words that are found (see query.py).
"""

from collections.abc import Mapping

from music.discovery.search.words import is_symbols

# From this length on, a word may have two typos.
MIN_LENGTH_FOR_TWO_TYPOS = 6
# Longer words are neither corrected nor stored in SearchWord.
MAX_WORD_LENGTH = 60
# Deletions are made of this many first letters, which bounds their number and tells longer words apart well enough.
PREFIX_LENGTH = 7


def typos_allowed(word: str) -> int:
    """Return how many typos a word may have: 0 to 2, by its length."""
    if not 3 <= len(word) <= MAX_WORD_LENGTH or word.isdecimal() or is_symbols(word):
        return 0
    return 2 if len(word) >= MIN_LENGTH_FOR_TWO_TYPOS else 1


def distant_typos_allowed(word: str) -> int:
    """Return how many typos a word may have if nothing is found with fewer: 0 to 2, by its length.

    Up to three letters get one typo only: with two they could be any other word.
    """
    if len(word) > MAX_WORD_LENGTH or word.isdecimal() or is_symbols(word):
        return 0
    return 2 if len(word) > 3 else 1


def word_terms(word: str) -> set[str]:
    """Return the deletion terms under which a word is stored.

    Deletions that only distant corrections need are prefixed with "=", so that ordinary lookups do not read them.
    """
    near = deletions(word, typos_allowed(word)) if typos_allowed(word) else set()
    return near | {f"={rest}" for rest in deletions(word, distant_typos_allowed(word)) - near}


def deletion_terms(typos: Mapping[str, int], *, distant: bool = False) -> set[str]:
    """Return the terms that find corrections of the words, each with its number of typos."""
    rests = {rest for word, number in typos.items() for rest in deletions(word, number)}
    return rests | {f"={rest}" for rest in rests} if distant else rests


def deletions(word: str, letters: int) -> set[str]:
    """Return the first PREFIX_LENGTH letters of the word with up to `letters` of them deleted."""
    found = last = {word[:PREFIX_LENGTH]}
    for _ in range(letters):
        last = {text[:at] + text[at + 1 :] for text in last for at in range(len(text))}
        found = found | last
    return found - {""}
