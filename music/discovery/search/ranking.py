"""How well a candidate fits what was typed: one set of rules, whatever engine found it."""

from collections.abc import Iterable, Sequence
from math import log
from operator import itemgetter

from music.discovery.search.candidates import Candidate
from music.discovery.search.query import Query
from music.discovery.search.words import squashed

# A name that is the query is above all that only has its words, however popular these are: they reach 3.
WHOLE, ALMOST_WHOLE = 4.1, 4.0
POPULARITY = 0.4
BEGINNING, INSIDE, ELSEWHERE = 0.95, 0.9, 0.5
MISTYPED = {1: 0.8, 2: 0.6}


def best_first(query: Query, found: Iterable[Candidate]) -> list[Candidate]:
    found = list(found)
    most_played = log(max((candidate.popularity for candidate in found), default=0) + 2)

    def rank(candidate: Candidate) -> tuple:
        popularity = POPULARITY * log(candidate.popularity + 1) / most_played
        return -fit(query, candidate) - popularity, candidate.name, candidate.pk

    return sorted(found, key=rank)


class Text:
    """A part of what a candidate is called, and which of its words are meant."""

    def __init__(self, text: str) -> None:
        self.words = text.split()
        self.squashed = squashed(text)
        self.matched: set[str] = set()

    @property
    def fullness(self) -> float:
        """The share of its letters that stand in words that are meant."""
        if not self.matched:
            return 0
        letters = sum(len(word) for word in self.words if word in self.matched)
        joined = sum(len(word) for word in self.matched if word not in self.words)
        return min(1, (letters + joined) / len(self.squashed))


def fit(query: Query, candidate: Candidate) -> float:
    """How much of the query is found, how much of the names that it is found in is that, and who begins so."""
    before, _, after = candidate.name.partition(" / ")
    name, appendix, credit = Text(before), Text(after), Text(candidate.credit.partition(" / ")[0])
    if query.squashed in (name.squashed + appendix.squashed, credit.squashed):
        return WHOLE
    if query.squashed == name.squashed:
        return ALMOST_WHOLE
    found = 0.0
    for word in query.words:
        quality, text, as_word = _best_match(query, word, (name, credit, appendix))
        found += len(word) * quality
        text.matched.add(as_word)
    parts = [fullness for text in (name, credit) if (fullness := text.fullness)]
    average = sum(parts) / len(parts) if parts else 0
    begins = name.squashed.startswith(query.squashed)
    # What a name goes on with matters little while it is being typed.
    return 2 * found / len(query.squashed) + (1 + 0.3 * average if begins else average)


def _best_match(query: Query, word: str, texts: Sequence[Text]) -> tuple[float, Text, str]:
    for text in texts:
        if word in text.words:
            return 1, text, word
    matches = [(*_match(query, word, text), text) for text in texts if text.words]
    quality, as_word, text = max(matches, key=itemgetter(0))
    return quality, text, as_word


def _match(query: Query, word: str, text: Text) -> tuple[float, str]:
    """How surely the word, which is none of the text's, is meant by one of them, and by which."""
    if word == query.words[-1]:
        for other in text.words:
            if other.startswith(word):
                return BEGINNING, other
    if len(word) > 1 and word in text.squashed:
        return INSIDE, word
    meant = query.meant.get(word)
    if not meant:
        return ELSEWHERE, ""
    typos, nearest = min(((meant[other], other) for other in text.words if other in meant), default=(0, ""))
    return MISTYPED.get(typos, ELSEWHERE if not typos else 0), nearest
