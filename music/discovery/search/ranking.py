"""Scores of candidates, the same for both engines: how well names fit the query, with popularity as a minor factor."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log
from typing import NamedTuple

from music.discovery.search.candidates import Candidate
from music.discovery.search.query import Query
from music.discovery.search.words import without_article

# A name that equals the query ranks above all that only contain its words: these score below 4 with any popularity.
WHOLE, ALMOST_WHOLE = 4.1, 4.0
POPULARITY = 0.4
# How surely a word of the query is meant by a text: it begins a word of it, is inside the text, or neither.
PREFIX, INSIDE, ELSEWHERE = 0.95, 0.9, 0.5
# The same for a correction, by its number of typos.
MISTYPED = {1: 0.8, 2: 0.6}


def best_first(query: Query, found: Iterable[Candidate]) -> list[Candidate]:
    """Sort the candidates: those with all words of the query as whole words first, then by score."""
    found = list(found)
    # The most popular candidate gets about POPULARITY, the others less on a logarithmic scale.
    scale = log(max((candidate.popularity for candidate in found), default=0) + 2)

    def rank(candidate: Candidate) -> tuple:
        popularity = POPULARITY * log(candidate.popularity + 1) / scale
        has_whole_words, points = score(query, candidate)
        return not has_whole_words, -points - popularity, candidate.name, candidate.pk

    return sorted(found, key=rank)


class Text(NamedTuple):
    """The name, the appendix or the credit of a candidate."""

    words: list[str]
    squashed: str
    without_article: str

    def coverage(self, matched: set[str]) -> float:
        """Return the share of the text's letters that belong to matched words, from 0 to 1."""
        letters = 0
        for word in self.words:
            if word in matched:
                letters += len(word)
        # What matched across word boundaries, such as "jayz" in "jay z", is no word of the text.
        for word in matched:
            if word not in self.words:
                letters += len(word)
        return min(1, letters / len(self.squashed))


# Searches while a listener types have much the same candidates, so their texts are cached.
@lru_cache(maxsize=4096)
def texts_of(name: str) -> tuple[Text, Text]:
    """Return a normalized name and its appendix."""
    before, _, after = name.partition(" / ")
    return _text(before.split()), _text(after.split())


def _text(words: list[str]) -> Text:
    return Text(words, "".join(words), "".join(without_article(words)))


def score(query: Query, candidate: Candidate) -> tuple[bool, float]:
    """Return whether the candidate has all words of the query as whole words, and its score without popularity.

    The score is twice the share of the query's letters that are found, plus the share of the matched texts that the
    query covers; for a name that begins with the query it is 1 plus 0.3 of that share instead.
    """
    (name, appendix), (credit, _) = texts_of(candidate.name), texts_of(candidate.credit)
    if query.squashed in (name.squashed + appendix.squashed, credit.squashed):
        return True, WHOLE
    if query.squashed in (name.squashed, name.without_article, credit.without_article):
        return True, ALMOST_WHOLE
    texts = name, credit, appendix
    found = 0.0
    all_whole = True
    matched: dict[int, set[str]] = {}
    for word in query.words:
        quality, at, matched_word = _best_match(query, word, texts)
        found += len(word) * quality
        all_whole = all_whole and quality == 1
        if matched_word and texts[at] is not appendix:
            matched.setdefault(at, set()).add(matched_word)
    coverage = 0.0
    for at, words in matched.items():
        coverage += texts[at].coverage(words) / len(matched)
    # A name that begins with the query is likely still being typed, so what it goes on with hardly counts against it.
    is_beginning = name.squashed.startswith(query.squashed)
    return all_whole, 2 * found / len(query.squashed) + (1 + 0.3 * coverage if is_beginning else coverage)


def _best_match(query: Query, word: str, texts: Sequence[Text]) -> tuple[float, int, str]:
    """Return how surely the word is meant, by which of the texts, and by which word of it ("" if by none)."""
    for at, text in enumerate(texts):
        if word in text.words:
            return 1, at, word
    best, best_at, best_word = -1.0, 0, ""
    for at, text in enumerate(texts):
        if text.words:
            quality, matched_word = _match(query, word, text)
            if quality > best:
                best, best_at, best_word = quality, at, matched_word
                if best == PREFIX:  # the best that is possible here
                    break
    return best, best_at, best_word


def _match(query: Query, word: str, text: Text) -> tuple[float, str]:
    """Return how surely a word that the text does not contain is meant by it, and by which of its words."""
    if word == query.words[-1]:
        for other in text.words:
            if other.startswith(word):
                return PREFIX, other
    if len(word) > 1 and word in text.squashed:
        return INSIDE, word
    corrections = query.corrections.get(word)
    if not corrections:
        return ELSEWHERE, ""
    typos, nearest = min(((corrections[other], other) for other in text.words if other in corrections), default=(0, ""))
    return MISTYPED.get(typos, ELSEWHERE if not typos else 0), nearest
