"""Sort keys that put rows without a date or number last, ascending and descending alike.

A missing date counts as the last possible day in ascending order and as the first possible day in descending order, so
either order is one range of an index. The dates are literals in the SQL, not parameters, because an index on an
expression serves only queries that contain exactly the same expression.
"""

from django.db.models import DateField, F, Func, IntegerField
from django.db.models.functions import Coalesce

RELEASED_FIRST = Func(F("release_date"), template="COALESCE(%(expressions)s, '9999-12-31')", output_field=DateField())
RELEASED_LAST = Func(F("release_date"), template="COALESCE(%(expressions)s, '0001-01-01')", output_field=DateField())
# Disc and track as one number. Both are at most 32767, so 32768 sorts songs without a number behind those with one, and
# 32769 leaves room for every track number below the next disc.
TRACK_ORDER = Func(
    Coalesce("disc_number", 32768),
    Coalesce("track_number", 32768),
    template="(%(expressions)s)",
    arg_joiner=" * 32769 + ",
    output_field=IntegerField(),
)
