"""How well a candidate fits what was typed: one set of rules, whatever engine found it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log
from typing import NamedTuple

from music.discovery.search.candidates import Candidate
from music.discovery.search.query import Query
from music.discovery.search.words import without_article

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
        has_whole_words, fits = fit(query, candidate)
        return not has_whole_words, -fits - popularity, candidate.name, candidate.pk

    return sorted(found, key=rank)


class Text(NamedTuple):
    """A part of what a candidate is called."""

    words: list[str]
    squashed: str
    without_article: str

    def fullness(self, matched: set[str]) -> float:
        """The share of its letters that stand in words that are meant, or in the joined word that was typed."""
        letters = 0
        for word in self.words:
            if word in matched:
                letters += len(word)
        for word in matched:
            if word not in self.words:
                letters += len(word)
        return min(1, letters / len(self.squashed))


@lru_cache(maxsize=4096)
def texts_of(name: str) -> tuple[Text, Text]:
    """The name and its appendix. Of somebody who types on, the next search has much the same candidates."""
    before, _, after = name.partition(" / ")
    return _text(before.split()), _text(after.split())


def _text(words: list[str]) -> Text:
    return Text(words, "".join(words), "".join(without_article(words)))


def fit(query: Query, candidate: Candidate) -> tuple[bool, float]:
    """Whether the name and the credit have all words whole; and how well they fit: how much of the query is found, how
    much of the names that it is found in is that, and who begins so.
    """
    (name, appendix), (credit, _) = texts_of(candidate.name), texts_of(candidate.credit)
    if query.squashed in (name.squashed + appendix.squashed, credit.squashed):
        return True, WHOLE
    if query.squashed in (name.squashed, name.without_article, credit.without_article):
        return True, ALMOST_WHOLE
    texts = name, credit, appendix
    found = 0.0
    whole = True
    matched: dict[int, set[str]] = {}
    for word in query.words:
        quality, at, as_word = _best_match(query, word, texts)
        found += len(word) * quality
        whole = whole and quality == 1
        if as_word and texts[at] is not appendix:
            matched.setdefault(at, set()).add(as_word)
    average = 0.0
    for at, words in matched.items():
        average += texts[at].fullness(words) / len(matched)
    begins = name.squashed.startswith(query.squashed)
    # What a name goes on with matters little while it is being typed.
    return whole, 2 * found / len(query.squashed) + (1 + 0.3 * average if begins else average)


def _best_match(query: Query, word: str, texts: Sequence[Text]) -> tuple[float, int, str]:
    for at, text in enumerate(texts):
        if word in text.words:
            return 1, at, word
    best, where, meant = -1.0, 0, ""
    for at, text in enumerate(texts):
        if text.words:
            quality, as_word = _match(query, word, text)
            if quality > best:
                best, where, meant = quality, at, as_word
                if best == BEGINNING:  # no other can be surer
                    break
    return best, where, meant


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
