"""One index, two engines: a tsvector with GIN on PostgreSQL, FTS5 on SQLite. Both answer the same expressions."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Lookup

from music.discovery.search.models import TermsField


class All(tuple):
    """Every one of these expressions."""


class OneOf(tuple):
    """At least one of these expressions."""


class Beginning(str):
    """Any term that begins so."""


Expression = str | All | OneOf


class Dialect(NamedTuple):
    quote: str
    both: str
    either: str
    onwards: str

    def spell(self, expression: Expression) -> str:
        if isinstance(expression, str):
            ending = self.onwards if isinstance(expression, Beginning) else ""
            return f"{self.quote}{expression}{self.quote}{ending}"
        sign = self.both if isinstance(expression, All) else self.either
        return "(" + sign.join(map(self.spell, expression)) + ")"


DIALECTS = {"postgresql": Dialect("'", " & ", " | ", ":*"), "sqlite": Dialect('"', " AND ", " OR ", " *")}


def spell(expression: Expression) -> str:
    return DIALECTS[connection.vendor].spell(expression)


def spell_each(expression: Expression, terms: Collection[str]) -> list[str]:
    """The expression with each of these terms, in the words of the engine."""
    dialect = DIALECTS[connection.vendor]
    spelled = dialect.spell(expression)
    return [dialect.both.join((spelled, dialect.spell(term))) for term in terms]


def entries_sql(queries: list[str], most: int, *, unless: str = "") -> tuple[str, list]:
    """The entries that the first query finds, then those of the next, until there are enough; with `unless`, only
    where that other table is empty.
    """
    condition = f"WHERE NOT EXISTS (SELECT 1 FROM {unless})" if unless else ""
    if connection.vendor == "postgresql":
        return f"SELECT * FROM music_found(%s::tsquery[], %s) {condition}", [queries, most]
    values = ", ".join("(%s)" for _ in queries)
    # CROSS JOIN is SQLite's way of saying in which order to go.
    return (
        f"""SELECT kind, object_id, name, credit FROM (VALUES {values}) query
        CROSS JOIN music_searchentry_terms hit ON music_searchentry_terms MATCH query.column1
        CROSS JOIN music_searchentry entry ON entry.id = hit.rowid {condition} LIMIT %s""",
        [*queries, most],
    )


def words_with(terms: Collection[str]) -> list[str]:
    """The known words with any of these terms."""
    dialect = DIALECTS[connection.vendor]
    if connection.vendor == "postgresql":
        # Term by term: of so many at once PostgreSQL expects so many words that it reads the whole table.
        sql = "SELECT DISTINCT word FROM unnest(%s::tsquery[]) term JOIN music_searchword ON terms @@ term"
        query: Any = [dialect.spell(term) for term in terms]
    else:
        sql = """SELECT word FROM music_searchword WHERE id IN
            (SELECT rowid FROM music_searchword_terms WHERE music_searchword_terms MATCH %s)"""
        query = dialect.spell(OneOf(terms))
    with connection.cursor() as cursor:
        cursor.execute(sql, [query])
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
