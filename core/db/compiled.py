"""SELECTs whose SQL is put together once, for what is asked all the time.

Django makes the SQL of a QuerySet anew whenever it is read, which for a page of songs takes as long as the database
needs to answer. Here it is made at the first use, with a place for each value that differs from one use to the next:

    named = Kept(Song.objects.values_list("pk", "title", named=True))
    by_artist = lambda songs: songs.filter(artist=Given("artist", UUIDField()))
    named.read("by_artist", by_artist, {"artist": artist.pk})

Whatever else the QuerySet says is part of the SQL for as long as the process lives: the time, a setting or a user
has to be given.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache, partial
from threading import Lock
from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, Expression, Field, Func, IntegerField, QuerySet
from django.db.models.utils import create_namedtuple_class

MOST_STATEMENTS = 200


class Param(Expression):
    """A place for a value that comes with each use."""

    def __init__(self, name: Hashable, output_field: Field) -> None:
        self.name = name
        super().__init__(output_field=output_field)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list]:
        return "%s", [self]


class ArrayOf(Field):
    """A list of ids or numbers, for the two below: one place, however many there are. A text in it is taken to be
    as the database has it.
    """

    def __init__(self, item: Field) -> None:
        self.item = item
        super().__init__()

    def get_db_prep_value(self, value: Sequence, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        items = [
            item if isinstance(item, str) else self.item.get_db_prep_value(item, connection, prepared) for item in value
        ]
        # One literal: to quote each of them takes longer than to find their rows.
        return f"{{{','.join(map(str, items))}}}" if connection.vendor == "postgresql" else json.dumps(items)


class IsInArray(Func):
    """Whether a value is in the list."""

    output_field = BooleanField()
    conditional = True

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:
        item, items = (compiler.compile(part) for part in self.source_expressions)
        template = "{} = ANY({})" if connection.vendor == "postgresql" else "{} IN (SELECT value FROM json_each({}))"
        return template.format(item[0], items[0]), [*item[1], *items[1]]


class PositionInArray(Func):
    """Where a value stands in the list."""

    output_field = IntegerField()

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:
        item, items = (compiler.compile(part) for part in self.source_expressions)
        function = "array_position" if connection.vendor == "postgresql" else "instr"
        return f"{function}({items[0]}, {item[0]})", [*items[1], *item[1]]


class UserParam:
    """Stands in a kept QuerySet for whoever is logged in, who is given at each use."""

    is_authenticated = True

    def __init__(self, name: str = "user") -> None:
        self.pk = Param(name, models.UUIDField())


class Statement:
    """A SELECT, and the order in which it takes what is given."""

    def __init__(self, sql: str, parameters: Sequence) -> None:
        self.sql, self.parameters = sql, parameters
        self.places = {place.name: place.output_field for place in parameters if isinstance(place, Param)}

    @classmethod
    @lru_cache(maxsize=MOST_STATEMENTS)
    def of(cls, sql: str) -> "Statement":
        """One that was written by hand; `fetch` takes the value of each %s under its number."""
        return cls(sql, [Param(number, Field()) for number in range(sql.count("%s"))])

    def fetch(self, values: Mapping[Hashable, Any]) -> list[tuple]:
        with connection.cursor() as cursor:
            if execute_prepared := getattr(connection, "execute_prepared", None):  # by a plan that is kept too
                execute_prepared(cursor, self, values)
            else:
                self.execute(cursor, values)
            return cursor.fetchall()

    def execute(self, cursor: CursorWrapper, values: Mapping[Hashable, Any]) -> None:
        cursor.execute(self.sql, [values[each.name] if isinstance(each, Param) else each for each in self.parameters])


class CompiledRows(Statement):
    """One SELECT of a QuerySet of named rows, or of models without others beside them."""

    def __init__(self, queryset: QuerySet) -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        super().__init__(*compiler.as_sql())
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self.converters = compiler.get_converters(columns)
        self.make_row = _maker_of_rows(queryset, columns)

    def rows(self, given: dict[str, Any]) -> list:
        values = {
            name: field.get_db_prep_value(given[name], connection, prepared=False)
            for name, field in self.places.items()
        }
        found = self.fetch(values)
        return [self.make_row(row) for row in (map(self._converted, found) if self.converters else found)]

    def _converted(self, row: tuple) -> list:
        values = list(row)
        for position, (converters, column) in self.converters.items():
            for convert in converters:
                values[position] = convert(values[position], column, connection)
        return values


def _maker_of_rows(queryset: Any, columns: Sequence) -> Callable[[Sequence], Any]:
    if queryset._fields:
        return create_namedtuple_class(*queryset._fields)._make
    names = [column.target.attname for column in columns]
    return partial(queryset.model.from_db, queryset.db, names)


class CompiledQuery:
    """A QuerySet, and the statements that were made of it so far, each under the name of its shape."""

    def __init__(self, queryset: QuerySet) -> None:
        self.queryset = queryset
        self.statements: OrderedDict[Hashable, CompiledRows] = OrderedDict()
        self.lock = Lock()

    def statement(self, shape: Hashable, make: Callable[[QuerySet], QuerySet]) -> CompiledRows:
        """What `make` makes of the QuerySet. The same shape has to mean the same statement."""
        with self.lock:
            if shape not in self.statements:
                self.statements[shape] = CompiledRows(make(self.queryset))
                if len(self.statements) > MOST_STATEMENTS:
                    self.statements.popitem(last=False)
            self.statements.move_to_end(shape)
            return self.statements[shape]

    def first(self, shape: Hashable, make: Callable[[QuerySet], QuerySet], given: dict[str, Any]) -> Any:
        """The first row, or None."""
        return next(iter(self.read(shape, make, given)), None)

    def read(self, shape: Hashable, make: Callable[[QuerySet], QuerySet], given: dict[str, Any]) -> list:
        return self.statement(shape, make).rows(given)
