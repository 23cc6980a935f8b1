"""Words that may have been meant. A word is found by what is left of it when letters are dropped on both sides
(the symmetric deletions of W. Garbe's SymSpell), so that the database compares only equal texts.
"""

from collections.abc import Mapping

from music.discovery.search.words import is_of_signs

LONG = 6
# Nobody is taken to have mistyped a longer word, and none is remembered (SearchWord).
LONGEST = 60
# Longer words are told apart by their first letters well enough.
COMPARED = 7


def typos_allowed(word: str) -> int:
    if not 3 <= len(word) <= LONGEST or word.isdecimal() or is_of_signs(word):
        return 0
    return 2 if len(word) >= LONG else 1


def typos_at_most(word: str) -> int:
    """How many are forgiven where nothing has fewer: in a short word one, which may make it any other, else two."""
    if len(word) > LONGEST or word.isdecimal() or is_of_signs(word):
        return 0
    return 2 if len(word) > 3 else 1


def word_terms(word: str) -> set[str]:
    """Return the terms by which the index finds a word: its deletions, and those of more typos with = before them, so
    that not every lookup comes across them.
    """
    near = deletions(word, typos_allowed(word)) if typos_allowed(word) else set()
    return near | {f"={rest}" for rest in deletions(word, typos_at_most(word)) - near}


def remains(typos: Mapping[str, int], *, at_most: bool = False) -> set[str]:
    """Return the terms of the words that may be meant by words with so many typos."""
    rests = {rest for word, number in typos.items() for rest in deletions(word, number)}
    return rests | {f"={rest}" for rest in rests} if at_most else rests


def deletions(word: str, letters: int) -> set[str]:
    """The beginning of the word with up to so many letters dropped."""
    found = last = {word[:COMPARED]}
    for _ in range(letters):
        last = {text[:at] + text[at + 1 :] for text in last for at in range(len(text))}
        found = found | last
    return found - {""}
