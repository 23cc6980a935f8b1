"""One index, two engines: a tsvector with GIN on PostgreSQL, FTS5 on SQLite. Both answer the same expressions."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Lookup

from music.discovery.search.models import Kind, TermsField
from music.discovery.search.terms import shelves

MOST = {Kind.SONG: 150, Kind.ALBUM: 100, Kind.ARTIST: 100, Kind.GENRE: 100}


class And(tuple):
    """Every one of these expressions."""


class Or(tuple):
    """At least one of these expressions."""


class Prefix(str):
    """Any term that begins so."""


Expression = str | And | Or


class Dialect(NamedTuple):
    quote: str
    both: str
    either: str
    onwards: str

    def spell(self, expression: Expression) -> str:
        if isinstance(expression, str):
            ending = self.onwards if isinstance(expression, Prefix) else ""
            return f"{self.quote}{expression}{self.quote}{ending}"
        sign = self.both if isinstance(expression, And) else self.either
        return "(" + sign.join(map(self.spell, expression)) + ")"


# Of a prepared statement: what is given to it is text.
QUERIES = "%s::text[]::tsquery[]"
DIALECTS = {"postgresql": Dialect("'", " & ", " | ", ":*"), "sqlite": Dialect('"', " AND ", " OR ", " *")}


def spell(expression: Expression) -> str:
    return DIALECTS[connection.vendor].spell(expression)


class Table(NamedTuple):
    """A part of a statement, which later parts may name; with a kind its rows are entries."""

    name: str
    sql: str
    params: list
    kind: str = ""


def entry_tables(
    expressions: Sequence[Expression],
    kinds: Sequence[str],
    runs: Sequence[str],
    *,
    common: bool = False,
    instead_of: Sequence[Table] = (),
) -> list[Table]:
    """A table for each kind: the entries that the first expression finds, best shelf first, then those of the next,
    until there are enough. `runs` are in the text of each. `common`: they may find very much. `instead_of` tables: only
    where these have no row.
    """
    queries = list(map(spell, expressions))
    if common and connection.vendor == "postgresql":  # whose index counts all that it finds before the first is read
        return [Table(f"{kind}s", *_shelved_sql(queries, kind, runs), kind) for kind in kinds]
    # There are seldom more than enough, and to ask for each shelf takes as long as asking for all, each time.
    enough = sum(MOST[kind] for kind in kinds)
    only = kinds if len(kinds) < len(MOST) else ()
    name = "every_other" if instead_of else "every"
    any_of_them = DIALECTS[connection.vendor].either.join(queries)
    every = entries_sql([f"({any_of_them})"], enough + 1, runs, kinds=only, condition=lacking(instead_of, " AND "))
    return [Table(name, *every), *(_of_kind(kind, queries, runs, name, enough) for kind in kinds)]


def lacking(tables: Sequence[Table], conjunction: str) -> str:
    """That all (AND) or any (OR) of the tables have no row."""
    return conjunction.join(f"NOT EXISTS (SELECT 1 FROM {table.name})" for table in tables) or "true"


def _of_kind(kind: str, queries: Sequence[str], runs: Sequence[str], every: str, enough: int) -> Table:
    """From the table of every kind or, where that has no end, from the index."""
    number = f"(SELECT count(*) FROM {every})"
    sql, params = _shelved_sql(queries, kind, runs, condition=f"{number} > {enough}")
    few = f"SELECT * FROM {every} WHERE kind = %s AND {number} <= {enough}"
    return Table(f"{every}_{kind}", f"{few} UNION ALL SELECT * FROM ({sql}) many", [kind, *params], kind)


def _shelved_sql(queries: Sequence[str], kind: str, runs: Sequence[str], **only: str) -> tuple[str, list]:
    return entries_sql(queries, MOST[kind], runs, shelves=list(map(spell, shelves(kind))), **only)


def entries_sql(
    queries: Sequence[str],
    most: int,
    runs: Sequence[str] = (),
    *,
    shelves: Sequence[str] = (),
    kinds: Sequence[str] = (),
    condition: str = "true",
) -> tuple[str, list]:
    """The entries that the first query finds, then those of the next, until there are enough; each query shelf by
    shelf, and of these kinds, where such are named. All have the runs in their text.
    """
    if connection.vendor == "postgresql":
        if kinds:
            queries = [f"{query} & {spell(Or(f'#{kind}' for kind in kinds))}" for query in queries]
        asked, params = QUERIES, [queries]
        if shelves:  # put together there, since PostgreSQL reads all of a statement though it may need little of it
            asked = f"""ARRAY(SELECT query && shelf FROM unnest({QUERIES}) WITH ORDINALITY a(query, i),
                unnest({QUERIES}) WITH ORDINALITY b(shelf, j) ORDER BY i, j)"""
            params += [shelves]
        return f"SELECT * FROM music_found({asked}, %s::text[], %s) WHERE {condition}", [*params, list(runs), most]
    queries = [f"{query} AND {shelf}" for query in queries for shelf in shelves] if shelves else queries
    values = ", ".join("(%s)" for _ in queries)
    if kinds:
        condition += f" AND entry.kind IN ({', '.join('%s' for _ in kinds)})"
    condition += " AND instr(entry.text, %s)" * len(runs)
    # CROSS JOIN is SQLite's way of saying in which order to go.
    sql = f"""SELECT kind, object_id, name, credit FROM (VALUES {values}) query
        CROSS JOIN music_searchentry_terms hit ON music_searchentry_terms MATCH query.column1
        CROSS JOIN music_searchentry entry ON entry.id = hit.rowid WHERE {condition} LIMIT %s"""
    return sql, [*queries, *kinds, *runs, most]


def words_sql(terms: Collection[str], *, condition: str = "true") -> tuple[str, list]:
    """The known words with any of these terms."""
    dialect = DIALECTS[connection.vendor]
    if connection.vendor == "postgresql":
        # Term by term: of so many at once PostgreSQL expects so many words that it reads the whole table.
        found = f"SELECT DISTINCT word FROM unnest({QUERIES}) term JOIN music_searchword ON terms @@ term"
        return f"{found} WHERE {condition}", [[dialect.spell(term) for term in terms]]
    matched = "SELECT rowid FROM music_searchword_terms WHERE music_searchword_terms MATCH %s"
    return f"SELECT word FROM music_searchword WHERE ({condition}) AND id IN ({matched})", [dialect.spell(Or(terms))]


def words_with(terms: Collection[str]) -> list[str]:
    sql, params = words_sql(terms)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [word for (word,) in cursor.fetchall()]


def forget_removed_terms() -> None:
    """FTS5 only marks what was removed, until it puts its parts together."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for index in ("music_searchentry_terms", "music_searchword_terms"):
            cursor.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")


@TermsField.register_lookup
class Matches(Lookup):
    """`terms__matches=expression`"""

    lookup_name = "matches"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Expression, connection: Any) -> tuple[str, list]:
        return "%s", [DIALECTS[connection.vendor].spell(value)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        lhs, _ = self.process_lhs(compiler, connection)
        _, params = self.process_rhs(compiler, connection)
        return f"{lhs} @@ %s::tsquery", params

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list]:
        table = self.lhs.target.model._meta.db_table
        _, params = self.process_rhs(compiler, connection)
        index = f'"{table}_terms"'
        return f'"{self.lhs.alias}"."id" IN (SELECT rowid FROM {index} WHERE {index} MATCH %s)', params
