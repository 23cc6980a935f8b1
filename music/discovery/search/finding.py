"""Searching: `find` answers best first, `matching` narrows a list that has an order of its own."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import CharField, Exists, F, Func, IntegerField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from music.discovery.search.candidates import candidates
from music.discovery.search.index import All, Expression, entries_sql, spell
from music.discovery.search.models import SearchEntry
from music.discovery.search.query import Query
from music.discovery.search.ranking import best_first

# Up to here it is quicker to sort what was found, beyond it to walk along the list until a page is full.
FEW = 5000
# So many that the caller may not see can stand among the best without leaving a gap.
SPARE = 40


class PositionIn(Func):
    """Where the id of a row stands in a list of ids."""

    function = "instr"
    output_field = IntegerField()

    def __init__(self, ids: Sequence[UUID], **extra: Any):
        self.ids = ids
        super().__init__(Cast(F("pk"), CharField()), **extra)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        pk, params = compiler.compile(self.source_expressions[0])
        function = "strpos" if connection.vendor == "postgresql" else "instr"
        ids = " ".join(str(pk) if connection.features.has_native_uuid_field else pk.hex for pk in self.ids)
        return f"{function}(%s, {pk})", [ids, *params]


def find(text: str, rows: Mapping[str, QuerySet], *, limit: int) -> dict[str, list]:
    """The best answers among the rows of each kind, in at most two statements and one for each kind."""
    query = Query(text)
    ranked: dict[str, list[UUID]] = {kind: [] for kind in rows}
    for candidate in best_first(query, candidates(query, list(rows)) if query.parts else []):
        ranked[candidate.kind].append(candidate.pk)
    return {kind: _best_visible(rows[kind], ids, limit) if ids else [] for kind, ids in ranked.items()}


def matching(rows: QuerySet, text: str, kind: str) -> QuerySet:
    """Those of the rows that have the words of the text; where there are none, those with the words it may mean."""
    query = Query(text)
    if not query.parts:
        return rows.none()
    of_kind = All([query.as_typed, f"#{kind}"])
    number = _number_of(of_kind)
    if not number:
        of_kind = All([query.as_meant, f"#{kind}"])
        number = _number_of(of_kind)
    if number > FEW:
        return rows.filter(Exists(SearchEntry.objects.filter(object_id=OuterRef("pk"), terms__matches=of_kind)))
    sql, params = entries_sql([spell(of_kind)], FEW)
    return rows.filter(pk__in=RawSQL(f"SELECT object_id FROM ({sql}) found", params))  # noqa: S611


def _number_of(expression: Expression) -> int:
    """How many entries there are, up to one more than FEW."""
    sql, params = entries_sql([spell(expression)], FEW + 1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql}) found", params)
        return cursor.fetchone()[0]


def _best_visible(rows: QuerySet, ids: Sequence[UUID], limit: int) -> list:
    ids = ids[: limit + SPARE]
    return list(rows.filter(pk__in=ids).order_by(PositionIn(ids))[:limit])
