"""Searching: `find` answers best first, `matching` narrows a list that has an order of its own."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, UUIDField
from django.db.models.expressions import RawSQL

from core.db.compiled import ArrayOf, CompiledQuery, IsInArray, Param, PositionInArray
from music.discovery.search.candidates import candidates
from music.discovery.search.index import And, Expression, Or, entries_sql, spell, words_with
from music.discovery.search.models import SearchEntry
from music.discovery.search.query import Query
from music.discovery.search.ranking import best_first
from music.discovery.search.spelling import remains

# Up to here it is quicker to sort what was found, beyond it to walk along the list until a page is full.
FEW = 5000
# So many of the best may be out of the caller's sight before it takes another statement.
SPARE = 10

IDS = Param("ids", ArrayOf(UUIDField()))


def find(text: str, rows: Mapping[str, CompiledQuery], *, limit: int, user: UUID | None = None) -> dict[str, list]:
    """The best answers among the rows of each kind, in at most three statements and two for each kind."""
    query = Query(text)
    ranked: dict[str, list[str]] = {kind: [] for kind in rows}
    for candidate in best_first(query, candidates(query, list(rows)) if query.parts else []):
        ranked[candidate.kind].append(candidate.pk)
    return {kind: _best_visible(rows[kind], ids, limit, user) for kind, ids in ranked.items()}


def _best_visible(rows: CompiledQuery, ids: Sequence[str], limit: int, user: UUID | None) -> list:
    """The best; where the caller may not see so many that the spare ones don't fill the gaps, by another statement."""

    def in_order(rows: QuerySet) -> QuerySet:
        return rows.filter(IsInArray(F("pk"), IDS)).order_by(PositionInArray(F("pk"), IDS))[:limit]

    found: list = []
    for some in (ids[: limit + SPARE], ids[limit + SPARE :]):
        if some and len(found) < limit:
            found += rows.read(("found", limit), in_order, {"ids": some, "user": user})
    return found[:limit]


def matching(rows: QuerySet, text: str, kind: str) -> QuerySet:
    """Those of the rows that `find` finds for the text, however many they are."""
    query = Query(text)
    for expression in _meanings(query) if query.parts else []:
        number = _number_of(expression, query.runs, kind)
        if number > FEW:
            return _having(rows, And([expression, f"#{kind}"]), query.runs)
        if number:
            sql, params = _every(expression, query.runs, kind, FEW)
            return rows.filter(pk__in=RawSQL(f"SELECT object_id FROM ({sql}) found", params))  # noqa: S611
    return rows.none()


def _meanings(query: Query) -> Iterator[Expression]:
    """What the query may mean. A later meaning counts only where nothing fits the ones before it."""
    yield Or([query.whole, query.exact])
    if query.typos:
        query.learn(words_with(remains(query.typos)))
        if len(query.words) > 1 and query.closest != query.fuzzy:
            yield query.closest
        yield query.fuzzy
    if query.may_be_distant:
        query.learn(words_with(remains(query.typos_at_most, at_most=True)) if query.typos_at_most else [], at_most=True)
        yield query.as_distantly_meant


def _number_of(expression: Expression, runs: Sequence[str], kind: str) -> int:
    """How many entries there are, up to one more than FEW."""
    sql, params = _every(expression, runs, kind, FEW + 1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql}) found", params)
        return cursor.fetchone()[0]


def _every(expression: Expression, runs: Sequence[str], kind: str, most: int) -> tuple[str, list]:
    return entries_sql([spell(And([expression, f"#{kind}"]))], most, runs)


def _having(rows: QuerySet, expression: Expression, runs: Sequence[str]) -> QuerySet:
    has_runs = [Q(text__contains=run) for run in runs]
    entries = SearchEntry.objects.filter(*has_runs, object_id=OuterRef("pk"), terms__matches=expression)
    return rows.filter(Exists(entries))
