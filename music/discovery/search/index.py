"""SQL over the search index: a tsvector with a GIN index on PostgreSQL, FTS5 on SQLite.

Both engines evaluate the same expressions, which differ only in how they are written.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Lookup

from music.discovery.search.models import Kind, TermsField
from music.discovery.search.terms import tier_terms

MAX_CANDIDATES = {Kind.SONG: 150, Kind.ALBUM: 100, Kind.ARTIST: 100, Kind.GENRE: 100}


class And(tuple):
    """Match entries that match all of these expressions."""


class Or(tuple):
    """Match entries that match any of these expressions."""


class Prefix(str):
    """Match entries with a term that begins with this text."""


Expression = str | And | Or


class Dialect(NamedTuple):
    """The syntax of an engine's full-text queries."""

    quote: str
    and_sign: str
    or_sign: str
    prefix_sign: str

    def render(self, expression: Expression) -> str:
        if isinstance(expression, str):
            ending = self.prefix_sign if isinstance(expression, Prefix) else ""
            return f"{self.quote}{expression}{self.quote}{ending}"
        sign = self.and_sign if isinstance(expression, And) else self.or_sign
        return "(" + sign.join(map(self.render, expression)) + ")"


DIALECTS = {"postgresql": Dialect("'", " & ", " | ", ":*"), "sqlite": Dialect('"', " AND ", " OR ", " *")}
# Cast from text, because a prepared statement declares its parameters as text.
TSQUERIES = "%s::text[]::tsquery[]"


def render(expression: Expression) -> str:
    """Write the expression in the syntax of the connected database."""
    return DIALECTS[connection.vendor].render(expression)


class CTE(NamedTuple):
    """A common table expression. If it has a kind, its rows are entries of this kind."""

    name: str
    sql: str
    params: list
    kind: str = ""


def entry_ctes(
    expressions: Sequence[Expression],
    kinds: Sequence[str],
    substrings: Sequence[str],
    *,
    common: bool = False,
    instead_of: Sequence[CTE] = (),
) -> list[CTE]:
    """Return CTEs that select up to MAX_CANDIDATES entries for each kind.

    Entries of the first expression come first, those of the most popular tier before the others, then entries of the
    next expression. All have the substrings in their text. Pass `common=True` if the expressions may match very many
    entries. With `instead_of`, rows are only selected if these CTEs have none.
    """
    queries = list(map(render, expressions))
    if common and connection.vendor == "postgresql":
        # GIN collects all matches before it returns the first, so common words are queried tier by tier.
        return [CTE(f"{kind}s", *_tiered_sql(queries, kind, substrings), kind) for kind in kinds]
    # Few matches are the usual case here. One query that reads all kinds and tiers at once takes as long as a query
    # for a single tier; only if its limit is exceeded are the kinds read one by one, tier by tier.
    limit = sum(MAX_CANDIDATES[kind] for kind in kinds)
    only = kinds if len(kinds) < len(MAX_CANDIDATES) else ()
    name = "every_other" if instead_of else "every"
    any_query = DIALECTS[connection.vendor].or_sign.join(queries)
    sql, params = entries_sql(
        [f"({any_query})"], limit + 1, substrings, kinds=only, condition=empty_condition(instead_of, " AND ")
    )
    ctes = [CTE(name, sql, params)]
    for kind in kinds:
        count = f"(SELECT count(*) FROM {name})"
        tiered, tiered_params = _tiered_sql(queries, kind, substrings, condition=f"{count} > {limit}")
        few = f"SELECT * FROM {name} WHERE kind = %s AND {count} <= {limit}"
        ctes.append(
            CTE(f"{name}_{kind}", f"{few} UNION ALL SELECT * FROM ({tiered}) many", [kind, *tiered_params], kind)
        )
    return ctes


def empty_condition(ctes: Sequence[CTE], conjunction: str) -> str:
    """Return the SQL condition that all (" AND ") or any (" OR ") of the CTEs have no row."""
    return conjunction.join(f"NOT EXISTS (SELECT 1 FROM {cte.name})" for cte in ctes) or "true"


def _tiered_sql(
    queries: Sequence[str], kind: str, substrings: Sequence[str], *, condition: str = "true"
) -> tuple[str, list]:
    tiers = list(map(render, tier_terms(kind)))
    return entries_sql(queries, MAX_CANDIDATES[kind], substrings, tiers=tiers, condition=condition)


def entries_sql(
    queries: Sequence[str],
    limit: int,
    substrings: Sequence[str] = (),
    *,
    tiers: Sequence[str] = (),
    kinds: Sequence[str] = (),
    condition: str = "true",
) -> tuple[str, list]:
    """Return SQL and parameters that select (kind, object_id, name, credit) of up to `limit` entries.

    Entries of the first query come first, then those of the next, each query tier by tier. `kinds`, if any, narrow
    the entries; all of them have the substrings in their text.
    """
    if connection.vendor == "postgresql":
        if kinds:
            queries = [f"{query} & {render(Or(f'#{kind}' for kind in kinds))}" for query in queries]
        tsqueries, params = TSQUERIES, [queries]
        if tiers:
            # Combined in SQL, so that PostgreSQL does not have to parse the text of every combination.
            tsqueries = f"""ARRAY(SELECT query && tier FROM unnest({TSQUERIES}) WITH ORDINALITY a(query, i),
                unnest({TSQUERIES}) WITH ORDINALITY b(tier, j) ORDER BY i, j)"""
            params += [tiers]
        sql = f"SELECT * FROM music_found({tsqueries}, %s::text[], %s) WHERE {condition}"
        return sql, [*params, list(substrings), limit]
    queries = [f"{query} AND {tier}" for query in queries for tier in tiers] if tiers else queries
    values = ", ".join("(%s)" for _ in queries)
    if kinds:
        condition += f" AND entry.kind IN ({', '.join('%s' for _ in kinds)})"
    condition += " AND instr(entry.text, %s)" * len(substrings)
    # SQLite never reorders a CROSS JOIN: the queries are the outer loop, so the LIMIT keeps their order.
    sql = f"""SELECT kind, object_id, name, credit FROM (VALUES {values}) query
        CROSS JOIN music_searchentry_terms hit ON music_searchentry_terms MATCH query.column1
        CROSS JOIN music_searchentry entry ON entry.id = hit.rowid WHERE {condition} LIMIT %s"""
    return sql, [*queries, *kinds, *substrings, limit]


def words_sql(terms: Collection[str], *, condition: str = "true") -> tuple[str, list]:
    """Return SQL and parameters that select the known words with any of these terms."""
    dialect = DIALECTS[connection.vendor]
    if connection.vendor == "postgresql":
        # Joined term by term: for one query of all terms PostgreSQL expects so many words that it scans the table.
        found = f"SELECT DISTINCT word FROM unnest({TSQUERIES}) term JOIN music_searchword ON terms @@ term"
        return f"{found} WHERE {condition}", [[dialect.render(term) for term in terms]]
    matched = "SELECT rowid FROM music_searchword_terms WHERE music_searchword_terms MATCH %s"
    return f"SELECT word FROM music_searchword WHERE ({condition}) AND id IN ({matched})", [dialect.render(Or(terms))]


def fetch_words(terms: Collection[str]) -> list[str]:
    sql, params = words_sql(terms)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [word for (word,) in cursor.fetchall()]


def purge_deleted_terms() -> None:
    """Remove deleted terms from the files of FTS5, which only marks them until its segments are merged."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for index in ("music_searchentry_terms", "music_searchword_terms"):
            cursor.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")


@TermsField.register_lookup
class Matches(Lookup):
    """The lookup `terms__matches=expression`."""

    lookup_name = "matches"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Expression, connection: Any) -> tuple[str, list]:
        return "%s", [DIALECTS[connection.vendor].render(value)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        lhs, _ = self.process_lhs(compiler, connection)
        _, params = self.process_rhs(compiler, connection)
        return f"{lhs} @@ %s::tsquery", params

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list]:
        table = self.lhs.target.model._meta.db_table
        _, params = self.process_rhs(compiler, connection)
        index = f'"{table}_terms"'
        return f'"{self.lhs.alias}"."id" IN (SELECT rowid FROM {index} WHERE {index} MATCH %s)', params
