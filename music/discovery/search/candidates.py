"""What may be the answer: a bounded number of entries of each kind, however common the words are.

Entries whose whole name was typed come first, then those with the words as typed, and where there are none those
with the words as they may be meant; among them those that are played most (the shelves). The database stops as soon
as there are enough.
"""

from collections.abc import Sequence
from itertools import starmap
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from music.discovery.search.index import Expression, entries_sql, spell_each
from music.discovery.search.models import Kind
from music.discovery.search.query import Query
from music.discovery.search.terms import shelves

MOST = {Kind.SONG: 150, Kind.ALBUM: 100, Kind.ARTIST: 100, Kind.GENRE: 100}


class Candidate(NamedTuple):
    kind: str
    pk: UUID
    name: str
    credit: str
    popularity: int


def candidates(query: Query, kinds: Sequence[str]) -> list[Candidate]:
    """By one statement; by a second one, without one of the words, where nothing at all has them.

    One kind alone is asked for the words as typed first. Of several there is nearly always one that has no such thing.
    """
    found = _candidates([query.whole, query.as_typed], None, kinds) if len(kinds) == 1 else []
    found = found or _candidates([query.whole, query.as_typed], query.as_meant, kinds)
    if not found and query.in_part and (kinds := [kind for kind in kinds if kind != Kind.GENRE]):
        found = _candidates([query.in_part], None, kinds)
    return found


def _candidates(first: list[Expression], otherwise: Expression | None, kinds: Sequence[str]) -> list[Candidate]:
    tables, params = {}, []
    for kind in kinds:
        queries = [spelled for expression in first for spelled in spell_each(expression, shelves(kind))]
        tables[f"{kind}s"], values = entries_sql(queries, MOST[kind])
        params += values
        if otherwise:
            sql, values = entries_sql(spell_each(otherwise, shelves(kind)), MOST[kind], unless=f"{kind}s")
            tables[f"{kind}s_meant"] = sql
            params += values
    with_tables = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in tables.items())
    hits = " UNION ALL ".join(f"SELECT * FROM {name}" for name in tables)
    sql = f"""
        WITH {with_tables}
        SELECT DISTINCT kind, object_id, name, credit, coalesce(
            (SELECT play_count FROM music_songcounts WHERE song_id = object_id),
            (SELECT follower_count FROM music_artistcounts WHERE artist_id = object_id),
            0)
        FROM ({hits}) hits
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    if connection.vendor == "sqlite":  # which has no type for ids
        return [Candidate(kind, UUID(pk), *rest) for kind, pk, *rest in rows]
    return list(starmap(Candidate, rows))
