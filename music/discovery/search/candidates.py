"""What may be the answer: a bounded number of entries of each kind, however common the words are.

Entries whose whole name was typed come first, then those with the words in their name or credit, then those with the
words as typed, and where there are none those with the words as they may be meant; among them those that are played
most (the shelves). The database stops as soon as there are enough. Whatever it finds has each word of the query.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from core.db.compiled import Statement
from music.discovery.search.index import Table, entry_tables, lacking, words_sql
from music.discovery.search.models import Kind
from music.discovery.search.query import Query
from music.discovery.search.spelling import remains

WORDS = "words"
SURE = 3
MOST_COMMON = 2
HITS = """
    SELECT DISTINCT kind, CAST(object_id AS text), name, credit, coalesce(CASE kind
        WHEN 'song' THEN (SELECT play_count FROM music_songcounts WHERE song_id = object_id)
        WHEN 'artist' THEN (SELECT follower_count FROM music_artistcounts WHERE artist_id = object_id)
        END, 0)
    FROM ({}) hits
"""


class Candidate(NamedTuple):
    kind: str
    pk: str
    name: str
    credit: str
    popularity: int


def candidates(query: Query, kinds: Sequence[str]) -> list[Candidate]:
    """Return candidates in up to three statements: the words as typed; for the kinds that have nothing so, the words
    that may be meant; and where nothing at all is found, words with more typos, and without the articles.

    Nobody is taken to have mistyped what a kind has, nor to have meant a genre by what anything else has, nor to have
    made more typos in several words than make them words that are found together.
    """
    expected = [kind for kind in kinds if kind != Kind.GENRE] or list(kinds)
    # Several words are seldom in so many names that these have to be asked for the whole words first.
    whole = [query.whole, query.whole_words] if len(query.words) <= MOST_COMMON else [query.whole]
    tables = entry_tables([*whole, query.exact], kinds, query.runs, common=True)
    of_expected = [table for table in tables if table.kind in expected]
    sure = len(query.words) >= SURE  # who finds something by so many words has mistyped none of them
    found = _found(query, tables, lacking(of_expected, " AND " if sure else " OR "))
    has = {candidate.kind for candidate in found}
    guessed = [kind for kind in expected if kind not in has and not sure] if found else kinds
    if guessed and query.meant:
        tables = _fuzzy(query, guessed)
        found += _found(query, tables, "" if found else lacking(tables, " AND "), at_most=True)
    elif not found:
        _found(query, [], "true", at_most=True)
    if not found and query.may_be_distant:
        found = _found(query, entry_tables([query.as_distantly_meant], expected, query.runs))
    return found


def _fuzzy(query: Query, kinds: Sequence[str]) -> list[Table]:
    closely, widely = query.closest, query.fuzzy
    if closely == widely:
        return entry_tables([widely], kinds, query.runs)
    if len(query.words) == 1:  # what is closest may be somebody else's mistake, and comes first where there is too much
        return entry_tables([closely, widely], kinds, query.runs)
    tables = entry_tables([closely], kinds, query.runs)
    return [*tables, *entry_tables([widely], kinds, query.runs, instead_of=tables)]


def _found(query: Query, tables: Sequence[Table], learn_where: str = "", *, at_most: bool = False) -> list[Candidate]:
    """Return the rows of the tables. Where a condition is given and fulfilled, the query learns what may be meant."""
    terms = remains(query.typos_at_most if at_most else query.typos, at_most=at_most)
    words = [Table(WORDS, *words_sql(terms, condition=learn_where))] if learn_where and terms else []
    if not tables and not words:
        return []
    parts = [*tables, *words]
    with_tables = ", ".join(f"{part.name} AS MATERIALIZED ({part.sql})" for part in parts)
    selected = (
        [HITS.format(" UNION ALL ".join(f"SELECT * FROM {table.name}" for table in tables if table.kind))]
        if tables
        else []
    )
    selected += [f"SELECT '{WORDS}', NULL, word, '', 0 FROM {WORDS}"] if words else []
    values = chain.from_iterable(part.params for part in parts)
    rows = Statement.of(f"WITH {with_tables} {' UNION ALL '.join(selected)}").fetch(dict(enumerate(values)))
    known = [name for kind, _, name, *_ in rows if kind == WORDS]
    found = [Candidate._make(row) for row in rows if row[0] != WORDS]
    if known or not (found or query.meant):
        query.learn(known, at_most=at_most)
    return found
