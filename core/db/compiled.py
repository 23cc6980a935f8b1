"""QuerySets whose SQL is compiled once and then run with the values of each request.

Django compiles the SQL of a QuerySet each time it is read, which for a page of songs takes as long as the database
needs to answer it. Here that happens at the first use, with a placeholder for each value that differs between uses:

    songs = CompiledQuery(Song.objects.values_list("pk", "title", named=True))
    by_artist = lambda songs: songs.filter(artist=Param("artist", UUIDField()))
    songs.read("by_artist", by_artist, {"artist": artist.pk})

Everything else in the QuerySet is part of the SQL until the process ends, so the time, a setting and the caller have
to be Params. A date, a time or an id among the constants is refused (FrozenValueError). A setting cannot be
distinguished from a constant, so look for frozen settings in review.
"""

import datetime
import json
import re
import uuid
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

MAX_STATEMENTS = 200
# Dates, times and UUIDs as Django gives them to SQLite, which has no types for them.
FROZEN_TEXT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?|[0-9a-f]{32}")


class FrozenValueError(ValueError):
    """A constant of a compiled query that every later request would get, though it belongs to one of them."""


class Param(Expression):
    """A placeholder for a value that is given at each use."""

    def __init__(self, name: Hashable, output_field: Field) -> None:
        self.name = name
        super().__init__(output_field=output_field)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list]:
        return "%s", [self]


class ArrayOf(Field):
    """A Param's field for a list of ids or numbers: one placeholder, however many items there are.

    Text items are passed on as they are, so ids in text have to be in the database's own form.
    """

    def __init__(self, item: Field) -> None:
        self.item = item
        super().__init__()

    def get_db_prep_value(self, value: Sequence, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        items = [
            item if isinstance(item, str) else self.item.get_db_prep_value(item, connection, prepared) for item in value
        ]
        # One literal: quoting the items one by one takes longer than finding their rows.
        return f"{{{','.join(map(str, items))}}}" if connection.vendor == "postgresql" else json.dumps(items)


class IsInArray(Func):
    """The condition that a value is in an `ArrayOf`."""

    output_field = BooleanField()
    conditional = True

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:
        item, items = (compiler.compile(part) for part in self.source_expressions)
        template = "{} = ANY({})" if connection.vendor == "postgresql" else "{} IN (SELECT value FROM json_each({}))"
        return template.format(item[0], items[0]), [*item[1], *items[1]]


class PositionInArray(Func):
    """A value's position in an `ArrayOf`, to order by; positions are comparable, not consecutive."""

    output_field = IntegerField()

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:
        item, items = (compiler.compile(part) for part in self.source_expressions)
        # SQLite searches the JSON text. That is unambiguous for ids, all of one length, but not for numbers.
        function = "array_position" if connection.vendor == "postgresql" else "instr"
        return f"{function}({items[0]}, {item[0]})", [*items[1], *item[1]]


class UserParam:
    """The logged-in caller in a compiled query, in place of a User; the id is given at each use."""

    is_authenticated = True

    def __init__(self, name: str = "user") -> None:
        self.pk = Param(name, models.UUIDField())


class Statement:
    """The SQL of a SELECT, with its parameters in order: constants and Params."""

    def __init__(self, sql: str, parameters: Sequence) -> None:
        self.sql, self.parameters = sql, parameters
        self.places = {place.name: place.output_field for place in parameters if isinstance(place, Param)}

    @classmethod
    @lru_cache(maxsize=MAX_STATEMENTS)
    def of(cls, sql: str) -> "Statement":
        """Return a statement for hand-written SQL. `fetch` takes the value of each %s under its number, from 0."""
        return cls(sql, [Param(number, Field()) for number in range(sql.count("%s"))])

    def fetch(self, values: Mapping[Hashable, Any]) -> list[tuple]:
        with connection.cursor() as cursor:
            # PostgreSQL (core/db/postgresql) also keeps the plan.
            if execute_prepared := getattr(connection, "execute_prepared", None):
                execute_prepared(cursor, self, values)
            else:
                self.execute(cursor, values)
            return cursor.fetchall()

    def execute(self, cursor: CursorWrapper, values: Mapping[Hashable, Any]) -> None:
        cursor.execute(self.sql, [values[each.name] if isinstance(each, Param) else each for each in self.parameters])


class CompiledRows(Statement):
    """The SELECT of a QuerySet of named tuples, or of models without select_related."""

    def __init__(self, queryset: QuerySet) -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        sql, parameters = compiler.as_sql()
        refuse_frozen_values(sql, parameters)
        super().__init__(sql, parameters)
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self.converters = compiler.get_converters(columns)
        fields = getattr(queryset, "_fields", None)  # of values_list()
        self.make_row: Callable[[Sequence], Any]
        if fields:
            self.make_row = create_namedtuple_class(*fields)._make
        else:
            names = [column.target.attname for column in columns]
            self.make_row = partial(queryset.model.from_db, queryset.db, names)

    def rows(self, values: Mapping[str, Any]) -> list:
        prepared = {
            name: field.get_db_prep_value(values[name], connection, prepared=False)
            for name, field in self.places.items()
        }
        found = self.fetch(prepared)
        return [self.make_row(row) for row in (map(self._convert, found) if self.converters else found)]

    def _convert(self, row: tuple) -> list:
        values = list(row)
        for position, (converters, column) in self.converters.items():
            for convert in converters:
                values[position] = convert(values[position], column, connection)
        return values


def refuse_frozen_values(sql: str, parameters: Sequence) -> None:
    """Raise FrozenValueError for a date, a time or an id among the constants of a statement."""
    for value in parameters:
        is_frozen_text = isinstance(value, str) and FROZEN_TEXT.fullmatch(value)
        if is_frozen_text or isinstance(value, datetime.date | datetime.time | uuid.UUID):
            raise FrozenValueError(
                f"A compiled query would use {value} in every later request. Put a Param in its place, and give the "
                f"value at each use. The SQL: {sql}"
            )


class CompiledQuery:
    """A QuerySet with the statements that were compiled from it, each under a key."""

    def __init__(self, queryset: QuerySet) -> None:
        self.queryset = queryset
        self.statements: OrderedDict[Hashable, CompiledRows] = OrderedDict()
        self.lock = Lock()

    def statement(self, key: Hashable, build: Callable[[QuerySet], QuerySet]) -> CompiledRows:
        """Return the statement of `build(queryset)`, compiled at the first use of the key.

        The same key must always mean the same SQL: `build` is not called again.
        """
        # Under the lock, so that threads which start together compile each statement once.
        with self.lock:
            if key not in self.statements:
                self.statements[key] = CompiledRows(build(self.queryset))
                if len(self.statements) > MAX_STATEMENTS:
                    self.statements.popitem(last=False)
            self.statements.move_to_end(key)
            return self.statements[key]

    def first(self, key: Hashable, build: Callable[[QuerySet], QuerySet], values: Mapping[str, Any]) -> Any:
        """Return the first row, or None. It fetches all rows: `build` should limit them."""
        return next(iter(self.read(key, build, values)), None)

    def read(self, key: Hashable, build: Callable[[QuerySet], QuerySet], values: Mapping[str, Any]) -> list:
        """Return the rows of `build(queryset)` for these values of its Params."""
        return self.statement(key, build).rows(values)
