"""Keys for ordering rows whose date may be missing: last in both directions, and one index range each.

A missing date counts as the last possible day going up and as the first possible day going down. The literal is
part of the SQL because an index on an expression serves only queries that repeat it to the letter.
"""

from django.db.models import DateField, F, Func, IntegerField
from django.db.models.functions import Coalesce

RELEASED_FIRST = Func(F("release_date"), template="COALESCE(%(expressions)s, '9999-12-31')", output_field=DateField())
RELEASED_LAST = Func(F("release_date"), template="COALESCE(%(expressions)s, '0001-01-01')", output_field=DateField())
# By disc, then track, as one number; songs without a number follow those that have one.
TRACK_ORDER = Func(
    Coalesce("disc_number", 32768),
    Coalesce("track_number", 32768),
    template="(%(expressions)s)",
    arg_joiner=" * 32769 + ",
    output_field=IntegerField(),
)
