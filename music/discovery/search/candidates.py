"""What may be the answer: a bounded number of entries of each kind, however common the words are.

Entries whose whole name was typed come first, then those with the words in their name or credit, then those with the
words as typed, and where there are none those with the words as they may be meant; among them those that are played
most (the shelves). The database stops as soon as there are enough. Whatever it finds has each word of the query: nothing
is to be checked afterwards.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from music.discovery.search.index import Table, entry_tables, lacking, words_sql
from music.discovery.search.models import Kind
from music.discovery.search.query import Query
from users.statements import Statement

WORD = "word"
SURE = 3


class Candidate(NamedTuple):
    kind: str
    pk: str
    name: str
    credit: str
    popularity: int


def candidates(query: Query, kinds: Sequence[str]) -> list[Candidate]:
    """By one statement, or a second one for the kinds that have nothing as it was typed, or a third one where nothing
    at all is found, without the articles.

    Nobody is taken to have mistyped what a kind has, nor to have meant a genre by what anything else has, nor to have
    made more typos in several words than make them words that are found together.
    """
    expected = [kind for kind in kinds if kind != Kind.GENRE]
    found = _as_typed(query, kinds, expected or kinds)
    has = {candidate.kind for candidate in found}
    guessed: Sequence[str] = () if _is_sure(query) else expected
    if not found:
        guessed = kinds
    if missing := [kind for kind in guessed if kind not in has]:
        found += _found(_as_meant(query, missing))
    if not found and query.without_articles:
        found = _found(entry_tables([query.without_articles], kinds, query.runs))
    return found


def _is_sure(query: Query) -> bool:
    """Who finds something by so many words has mistyped none of them."""
    return len(query.words) >= SURE


def _as_typed(query: Query, kinds: Sequence[str], expected: Sequence[str]) -> list[Candidate]:
    """What has the words as typed. Where one may still have to guess the query learns what may be meant."""
    tables = entry_tables([query.whole, query.whole_words, query.as_typed], kinds, query.runs, common=True)
    if not query.remains:
        return _found(tables)
    of_expected = [table for table in tables if table.kind in expected]
    words = words_sql(query.remains, condition=lacking(of_expected, " AND " if _is_sure(query) else " OR "))
    found = _found(tables, Table("words", *words))
    query.learn([name for kind, _, name, *_ in found if kind == WORD])
    return [candidate for candidate in found if candidate.kind != WORD]


def _as_meant(query: Query, kinds: Sequence[str]) -> list[Table]:
    closely, widely = query.as_closely_meant, query.as_meant
    if closely == widely:
        return entry_tables([widely], kinds, query.runs)
    if len(query.words) == 1:  # what is closest may be somebody else's mistake, and comes first where there is too much
        return entry_tables([closely, widely], kinds, query.runs)
    tables = entry_tables([closely], kinds, query.runs)
    return [*tables, *entry_tables([widely], kinds, query.runs, instead_of=tables)]


def _found(tables: Sequence[Table], words: Table | None = None) -> list[Candidate]:
    parts = [*tables, words] if words else tables
    with_tables = ", ".join(f"{part.name} AS MATERIALIZED ({part.sql})" for part in parts)
    hits = " UNION ALL ".join(f"SELECT * FROM {table.name}" for table in tables if table.kind)
    sql = f"""
        WITH {with_tables}
        SELECT DISTINCT kind, CAST(object_id AS text), name, credit, coalesce(CASE kind
            WHEN 'song' THEN (SELECT play_count FROM music_songcounts WHERE song_id = object_id)
            WHEN 'artist' THEN (SELECT follower_count FROM music_artistcounts WHERE artist_id = object_id)
            END, 0)
        FROM ({hits}) hits
    """
    if words:
        sql += f" UNION ALL SELECT '{WORD}', NULL, word, '', 0 FROM words"
    values = chain.from_iterable(part.params for part in parts)
    return list(map(Candidate._make, Statement.of(sql).fetch(dict(enumerate(values)))))
