from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from music.discovery.neighbours.models import ItemKind, Neighbour

# Valid on both engines. A neighbour's score is the sum of its shares over all items of the taste; the item with the
# largest share (place 1) is the reason that a listener is shown.
QUERY = """
WITH taste (item, weight) AS (VALUES {taste}),
     shares AS (
         SELECT neighbour, n.item, n.weight * taste.weight AS share
         FROM {table} n JOIN taste ON n.item = taste.item
         WHERE n.kind = %s AND neighbour NOT IN (SELECT item FROM taste)),
     scored AS (
         SELECT neighbour, item, SUM(share) OVER (PARTITION BY neighbour) AS score,
                ROW_NUMBER() OVER (PARTITION BY neighbour ORDER BY share DESC, item) AS place
         FROM shares)
SELECT neighbour, item, score FROM scored WHERE place = 1 ORDER BY score DESC, neighbour LIMIT %s
"""


class ScoredNeighbour(NamedTuple):
    """A neighbour, the item of the taste that contributes most to its score, and the score."""

    item: UUID
    because_of: UUID
    score: float


def neighbours_of(taste: Mapping[UUID, float], *, kind: ItemKind, limit: int) -> list[ScoredNeighbour]:
    """Return the best neighbours of the weighted items, best first, without these items. One query."""
    if not taste:
        return []
    field = Neighbour._meta.get_field("item")
    sql = QUERY.format(table=Neighbour._meta.db_table, taste=", ".join(["(%s, %s)"] * len(taste)))
    params: list = []
    for item, weight in taste.items():
        params += [field.get_db_prep_value(item, connection), weight]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, kind, limit])
        return [ScoredNeighbour(field.to_python(item), field.to_python(cause), score) for item, cause, score in cursor]
