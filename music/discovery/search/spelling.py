"""Words that may have been meant. A word is found by what is left of it when letters are dropped on both sides
(the symmetric deletions of W. Garbe's SymSpell), so that the database compares only equal texts.
"""

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


def deletions(word: str, letters: int) -> set[str]:
    """The beginning of the word with up to so many letters dropped."""
    found = last = {word[:COMPARED]}
    for _ in range(letters):
        last = {text[:at] + text[at + 1 :] for text in last for at in range(len(text))}
        found = found | last
    return found
