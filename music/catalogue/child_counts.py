"""Counts and totals for a child on a Family plan, for whom explicit songs do not exist.

The stored counts include explicit songs. A child's counts are computed by subqueries of the query that reads the rows.
For other listeners these subqueries do not run: the query checks once whether the listener is a child.
"""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Aggregate, Case, Count, F, IntegerField, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from core.db.compiled import UserParam
from payments.plans import child_seat_of
from users.models import User

Listener = User | AnonymousUser | UserParam


def as_shown_to(listener: Listener, stored: F, *, child: Coalesce) -> F | Case:
    """Return an expression for the stored count, or for the `child` count if the listener is a child."""
    if not listener.is_authenticated:
        return stored
    return Case(When(child_seat_of(listener), then=child), default=stored, output_field=IntegerField())


def number_of(rows: QuerySet, owner: str) -> Coalesce:
    """Return a subquery that counts `rows`, already filtered to one owner; `owner` is the field that points to it."""
    return total_of(rows, owner, Count("pk"))


def total_of(rows: QuerySet, owner: str, aggregate: Aggregate) -> Coalesce:
    """Return a subquery that aggregates `rows`, already filtered to one owner; 0 if there are none."""
    # Grouping by the owner makes one row of the rows; order_by() clears an ordering that would add columns to GROUP BY.
    of_owner = rows.order_by().values(owner).annotate(total=aggregate).values("total")
    return Coalesce(Subquery(of_owner, output_field=IntegerField()), Value(0))
