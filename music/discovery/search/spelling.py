"""Words that may have been meant. A word is found by what is left of it when letters are dropped on both sides
(the symmetric deletions of W. Garbe's SymSpell), so that the database compares only equal texts.
"""

LONG = 6
# Longer words are told apart by their first letters well enough.
COMPARED = 7


def typos_allowed(word: str) -> int:
    if len(word) < 3 or word.isdecimal():
        return 0
    return 2 if len(word) >= LONG else 1


def deletions(word: str, letters: int) -> set[str]:
    """The beginning of the word with up to so many letters dropped."""
    found = last = {word[:COMPARED]}
    for _ in range(letters):
        last = {text[:at] + text[at + 1 :] for text in last for at in range(len(text))}
        found = found | last
    return found


def distance(one: str, other: str) -> int:
    """How many letters have to be typed, left out, changed or swapped with the next (optimal string alignment)."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
