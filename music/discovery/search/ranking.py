"""How well a candidate fits what was typed: one set of rules, whatever engine found it."""

from collections.abc import Iterable
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


def fit(query: Query, candidate: Candidate) -> float:
    """How much of the query is found, how much of the names that it is found in is that, and who begins so."""
    name, _, appendix = candidate.name.partition(" / ")
    credit = candidate.credit.partition(" / ")[0]
    whole = squashed(name)
    if query.squashed in (squashed(name + appendix), squashed(credit)):
        return WHOLE
    if query.squashed == whole:
        return ALMOST_WHOLE
    found = 0.0
    matched: dict[str, set[str]] = {name: set(), credit: set(), appendix: set()}
    for word in query.words:
        quality, place, as_word = _best_match(query, word, matched)
        found += len(word) * quality
        matched[place].add(as_word)
    begins = whole.startswith(query.squashed)
    fullness = _fullness(name, matched[name]), _fullness(credit, matched[credit])
    parts = [part for part in fullness if part]
    average = sum(parts) / len(parts) if parts else 0
    # What a name goes on with matters little while it is being typed.
    return 2 * found / len(query.squashed) + (1 + 0.3 * average if begins else average)


def _fullness(text: str, matched: set[str]) -> float:
    """The share of the letters of the text that stand in words that are meant."""
    words = text.split()
    letters = sum(len(word) for word in words if word in matched)
    joined = sum(len(word) for word in matched if word not in words)
    return min(1, (letters + joined) / len(squashed(text))) if matched else 0


def _best_match(query: Query, word: str, texts: Iterable[str]) -> tuple[float, str, str]:
    best: tuple[float, str, str] = (-1, "", "")
    for text in texts:
        match = _match(query, word, text)
        if match[0] == 1:
            return match
        best = max(best, match, key=itemgetter(0))
    return best


def _match(query: Query, word: str, text: str) -> tuple[float, str, str]:
    """How surely the word is meant by the text, the text, and the word of the text that it stands for."""
    words = text.split()
    if word in words:
        return 1, text, word
    if word == query.words[-1]:
        for other in words:
            if other.startswith(word):
                return BEGINNING, text, other
    if len(word) > 1 and word in squashed(text):
        return INSIDE, text, word
    meant = query.may_mean(word)
    typos, nearest = min(((meant[other], other) for other in words if other in meant), default=(0, ""))
    return MISTYPED.get(typos, ELSEWHERE if not typos else 0), text, nearest
