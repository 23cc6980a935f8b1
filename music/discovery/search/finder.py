"""The two searches: `find` returns the best matches, `matching` filters a list that has its own order."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, UUIDField
from django.db.models.expressions import RawSQL

from core.db.compiled import ArrayOf, CompiledQuery, IsInArray, Param, PositionInArray
from music.discovery.search.candidates import find_candidates
from music.discovery.search.index import And, Expression, Or, entries_sql, fetch_words, render
from music.discovery.search.models import SearchEntry
from music.discovery.search.query import Query
from music.discovery.search.ranking import best_first
from music.discovery.search.spelling import deletion_terms

# Up to this many matches are sorted by the list's order; beyond, walking the list until a page is full is quicker.
MAX_SORTED = 5000
# So many of the best matches may be invisible to the caller before a second statement is needed.
SPARE = 10

IDS = Param("ids", ArrayOf(UUIDField()))


def find(text: str, rows: Mapping[str, CompiledQuery], *, limit: int, user: UUID | None = None) -> dict[str, list]:
    """Return up to `limit` best matches among the rows of each kind, best first.

    Takes at most three statements, and two more for each kind.
    """
    query = Query(text)
    ranked: dict[str, list[str]] = {kind: [] for kind in rows}
    for candidate in best_first(query, find_candidates(query, list(rows)) if query.parts else []):
        ranked[candidate.kind].append(candidate.pk)
    return {kind: _best_visible(rows[kind], ids, limit, user) for kind, ids in ranked.items()}


def _best_visible(rows: CompiledQuery, ids: Sequence[str], limit: int, user: UUID | None) -> list:
    """Return the first `limit` of the ids that the caller may see, as rows."""

    def in_order(rows: QuerySet) -> QuerySet:
        return rows.filter(IsInArray(F("pk"), IDS)).order_by(PositionInArray(F("pk"), IDS))[:limit]

    found: list = []
    # The second statement only runs if more than SPARE of the first ids are invisible to the caller.
    for some in (ids[: limit + SPARE], ids[limit + SPARE :]):
        if some and len(found) < limit:
            found += rows.read(("found", limit), in_order, {"ids": some, "user": user})
    return found[:limit]


def matching(rows: QuerySet, text: str, kind: str) -> QuerySet:
    """Filter the rows by the text, with the meaning that `find` gives it, and without a limit."""
    query = Query(text)
    for expression in _expressions(query) if query.parts else []:
        sql, params = _entries_sql(expression, query.substrings, kind, MAX_SORTED + 1)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({sql}) found", params)
            number = cursor.fetchone()[0]
        if number > MAX_SORTED:
            contains = [Q(text__contains=substring) for substring in query.substrings]
            terms = And([expression, f"#{kind}"])
            entries = SearchEntry.objects.filter(*contains, object_id=OuterRef("pk"), terms__matches=terms)
            return rows.filter(Exists(entries))
        if number:
            sql, params = _entries_sql(expression, query.substrings, kind, MAX_SORTED)
            return rows.filter(pk__in=RawSQL(f"SELECT object_id FROM ({sql}) found", params))  # noqa: S611
    return rows.none()


def _expressions(query: Query) -> Iterator[Expression]:
    """Yield the expressions of the query, strictest first. Each counts only if nothing matches those before it."""
    yield Or([query.whole, query.exact])
    # The words are only looked up once the caller comes back for the next expression.
    if query.typos:
        query.learn_corrections(fetch_words(deletion_terms(query.typos)))
        if len(query.words) > 1 and query.closest != query.fuzzy:
            yield query.closest
        yield query.fuzzy
    if query.has_distant_matches:
        typos = query.distant_typos
        query.learn_corrections(fetch_words(deletion_terms(typos, distant=True)) if typos else [], distant=True)
        yield query.distant


def _entries_sql(expression: Expression, substrings: Sequence[str], kind: str, limit: int) -> tuple[str, list]:
    return entries_sql([render(And([expression, f"#{kind}"]))], limit, substrings)
