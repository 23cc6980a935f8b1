from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from music.discovery.neighbours.models import ItemKind, Neighbour

# Both engines run this as it is. An item's score is the sum over what speaks for it; place 1 speaks for it most.
QUERY = """
WITH taste (item, weight) AS (VALUES {taste}),
     spoken_for AS (
         SELECT neighbour, n.item, n.weight * taste.weight AS share
         FROM {table} n JOIN taste ON n.item = taste.item
         WHERE n.kind = %s AND neighbour NOT IN (SELECT item FROM taste)),
     scored AS (
         SELECT neighbour, item, SUM(share) OVER (PARTITION BY neighbour) AS score,
                ROW_NUMBER() OVER (PARTITION BY neighbour ORDER BY share DESC, item) AS place
         FROM spoken_for)
SELECT neighbour, item, score FROM scored WHERE place = 1 ORDER BY score DESC, neighbour LIMIT %s
"""


class Found(NamedTuple):
    item: UUID
    because_of: UUID
    score: float


def neighbours_of(taste: Mapping[UUID, float], *, kind: ItemKind, limit: int) -> list[Found]:
    """What goes best with the weighted items, best first, without these items themselves. One query."""
    if not taste:
        return []
    field = Neighbour._meta.get_field("item")
    sql = QUERY.format(table=Neighbour._meta.db_table, taste=", ".join(["(%s, %s)"] * len(taste)))
    pairs = ((field.get_db_prep_value(item, connection), weight) for item, weight in taste.items())
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_flat(pairs), kind, limit])
        return [Found(field.to_python(item), field.to_python(cause), score) for item, cause, score in cursor]


def _flat(pairs: Iterable[tuple]) -> list:
    return [value for pair in pairs for value in pair]
