"""Counts and totals for a child on somebody's plan, for whom explicit songs don't exist.

The counts that the database keeps are everybody's. A child's are added up in the query that reads the rows; for all
others the database looks once whether the caller is a child, and adds up nothing.
"""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Aggregate, Case, Count, F, IntegerField, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from core.db.compiled import UserParam
from payments.plans import child_seat_of
from users.models import User

Listener = User | AnonymousUser | UserParam


def as_shown_to(listener: Listener, everybody: F, *, child: Coalesce) -> F | Case:
    """Return `everybody`'s number, or that of a child where the listener is one."""
    if not listener.is_authenticated:
        return everybody
    return Case(When(child_seat_of(listener), then=child), default=everybody, output_field=IntegerField())


def number_of(rows: QuerySet, owner: str) -> Coalesce:
    """Count the rows, which are those of one owner (the field that leads to the outer row)."""
    return total_of(rows, owner, Count("pk"))


def total_of(rows: QuerySet, owner: str, aggregate: Aggregate) -> Coalesce:
    of_owner = rows.order_by().values(owner).annotate(total=aggregate).values("total")
    return Coalesce(Subquery(of_owner, output_field=IntegerField()), Value(0))
