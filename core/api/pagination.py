"""Keyset pagination: a page costs the same at the start and at the end, and new or deleted rows move no other row.

A view declares its orderings:

    orderings = {"title": "title_folded", "release_date": (RELEASED_FIRST, RELEASED_LAST)}
    ordering = "-release_date"

A value is the expression to order by, or a pair of expressions (ascending, descending) where missing values have to
come last both ways. Rows with equal keys are ordered by id, in the same direction. If the key is in another table,
`tie_breakers` names that table's column with the same id, so that one index covers both. A view without orderings
returns a bounded list in its own order, and has no next page.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet, Value
from django.template import loader
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from core.db.compiled import CompiledQuery, Param

MAX_LIMIT = 100


class Cursor(NamedTuple):
    """A position between two rows: after the row with this key and id (before it if `backwards`).

    With `with_row` the row itself is part of the page.
    """

    backwards: bool
    key: Any
    id: str
    with_row: bool = False

    def encoded(self) -> str:
        # Not Django's encoder: it cuts times to milliseconds, so that rows within one would be skipped.
        return urlsafe_b64encode(json.dumps(self, default=str).encode()).decode().rstrip("=")

    @classmethod
    def decoded(cls, text: str) -> "Cursor":
        backwards, key, pk, with_row = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(backwards, bool) or not isinstance(pk, str) or not isinstance(key, str | int | float):
            raise ValueError(text)
        return cls(backwards, key, pk, with_row is True)

    def place(self, name: str, field: Field) -> Value:
        return Value(self.value(name, field), field)

    def value(self, name: str, field: Field) -> Any:
        """Return the key or the id as the field's type. Raise ValidationError if no row could have it."""
        try:
            value = field.to_python(getattr(self, name))
            field.run_validators(value)
            field.get_db_prep_value(value, connection)
            # PostgreSQL refuses NUL, and half of a surrogate pair cannot be encoded.
            if isinstance(value, str) and "\0" in value.encode().decode():
                raise ValueError(value)
            return value
        except Exception as error:  # a cursor is user input: its value may be anything
            raise bad_cursor() from error


class RowIsBeyond(Func):
    """The condition (key, id) > (…, …) as one row comparison, which a two-column index answers; with OR it would not.

    The key is compared alone too, because only then SQLite uses an index on an expression.
    """

    template = "(%(expressions)s)"
    output_field = BooleanField()
    conditional = True

    def __init__(self, key: Expression, pk: Expression, key_value: Value, pk_value: Value, *, sign: str):
        self.sign = sign
        super().__init__(key, pk, key_value, pk_value)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list]:
        key, pk, key_value, pk_value = (compiler.compile(part) for part in self.source_expressions)
        alone = f"{key[0]} {self.sign[0]}= {key_value[0]}"
        row = f"({key[0]}, {pk[0]}) {self.sign} ({key_value[0]}, {pk_value[0]})"
        order = [key, key_value, key, pk, key_value, pk_value]
        return f"({alone} AND {row})", [parameter for _, parameters in order for parameter in parameters]

    def __repr__(self) -> str:
        return f"RowIsBeyond({self.source_expressions}, {self.sign})"


def bad_parameter(name: str, detail: str) -> ValidationError:
    return ValidationError({name: [ErrorDetail(detail, "invalid")]})


def bad_cursor() -> ValidationError:
    return bad_parameter("cursor", "Use `next` and `previous` as they were answered.")


class KeysetPagination(BasePagination):
    """Pages of a QuerySet, a CompiledQuery or a list, with the query parameters limit, cursor and ordering."""

    template = "rest_framework/pagination/previous_and_next.html"

    def paginate_queryset(
        self, rows: QuerySet | CompiledQuery | list, request: Request, view: APIView | None = None
    ) -> list:
        self.request = request
        self.limit = self.get_limit(request)
        if not view.orderings:
            self.next = self.previous = None
            return list(rows[: self.limit])
        ordering = self._ordering_of(request, view)
        cursor = self._cursor_of(request)
        if isinstance(rows, CompiledQuery):
            return self._page(self._read_compiled(rows, request, view, ordering, cursor), cursor)
        return self._page(list(self._ordered(rows, view, ordering, cursor, cursor and cursor.place)), cursor)

    def _read_compiled(
        self, rows: CompiledQuery, request: Request, view: Any, ordering: str, cursor: Cursor | None
    ) -> list:
        # The key names everything that changes the SQL; what the cursor contains is given as Params.
        direction = cursor and (cursor.backwards, cursor.with_row)
        key = (view.get_serializer_class(), ordering, self.limit, direction)
        statement = rows.statement(key, lambda rows: self._ordered(rows, view, ordering, cursor, Param))
        given = {"user": request.user.pk}
        if cursor:
            given |= {name: cursor.value(name, statement.places[name]) for name in ("key", "id")}
        return statement.rows(given)

    def _ordered(
        self,
        rows: QuerySet,
        view: Any,
        ordering: str,
        cursor: Cursor | None,
        place: Callable[[str, Field], Expression] | None,
    ) -> QuerySet:
        """Return the rows of a page and one more, which shows whether there is a next page.

        `place` makes the expressions for the cursor's key and id: values, or Params of a compiled query.
        """
        name, descending = ordering.lstrip("-"), ordering.startswith("-")
        key = view.orderings[name]
        if isinstance(key, tuple):
            key = key[descending]
        if isinstance(key, str):
            key = F(key)
        tie_breaker = view.tie_breakers.get(name, "pk")
        rows = rows.annotate(keyset_key=key)
        # A page before the cursor is read in the opposite order, and reversed in `_page`.
        upwards = descending == bool(cursor and cursor.backwards)
        if cursor and place:
            sign = (">" if upwards else "<") + "=" * cursor.with_row
            here = place("key", rows.query.annotations["keyset_key"].output_field), place("id", rows.model._meta.pk)
            rows = rows.filter(RowIsBeyond(key, F(tie_breaker), *here, sign=sign))
        order = ("keyset_key", tie_breaker) if upwards else ("-keyset_key", f"-{tie_breaker}")
        rows = rows.order_by(*order)
        # Serializers that name their columns get named tuples, because making models takes longer than the query.
        if columns := getattr(view.get_serializer_class(), "columns", None):
            rows = rows.values_list(*columns, "keyset_key", named=True)
        return rows[: self.limit + 1]

    def get_limit(self, request: Request) -> int:
        """Return `?limit=`, from 1 to 100, by default 20. Raise ValidationError for anything else."""
        text = request.query_params.get("limit")
        if text is None:
            return api_settings.PAGE_SIZE
        if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
            raise bad_parameter("limit", f"Give a whole number from 1 to {MAX_LIMIT}.")
        return int(text)

    def _ordering_of(self, request: Request, view: Any) -> str:
        name = request.query_params.get("ordering") if len(view.orderings) > 1 else None
        if name and name.removeprefix("-") not in view.orderings:
            raise bad_parameter("ordering", f"Order by one of: {', '.join(view.orderings)}; with - for descending.")
        return name or view.ordering

    def _cursor_of(self, request: Request) -> Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        try:
            return Cursor.decoded(text)
        except Exception as error:  # user input: base64, JSON and shape may all be wrong
            raise bad_cursor() from error

    def _page(self, rows: list, cursor: Cursor | None) -> list:
        """Return the rows of the page in reading order, and set the addresses of its neighbours."""
        more, rows = len(rows) > self.limit, rows[: self.limit]
        backwards = bool(cursor and cursor.backwards)
        if backwards:
            rows.reverse()
        has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
        self.next = self._url(self._place(rows[-1], backwards=False)) if has_next and rows else None
        self.previous = self._url(self._place(rows[0], backwards=True)) if has_previous and rows else None
        if not rows and cursor:
            # All rows beyond the cursor were deleted meanwhile. Link back, to the rows on its other side.
            opposite = cursor._replace(backwards=not cursor.backwards, with_row=not cursor.with_row)
            url = self._url(opposite)
            self.next, self.previous = (url, None) if cursor.backwards else (None, url)
        return rows

    def _place(self, row: Any, *, backwards: bool) -> Cursor:
        return Cursor(backwards, row.keyset_key, str(row.pk))

    def _url(self, cursor: Cursor) -> str:
        return f"{self._address}cursor={cursor.encoded()}"

    @cached_property
    def _address(self) -> str:
        """Return the address of the request without its cursor, up to where a cursor can be appended."""
        others = [(name, values) for name, values in self.request.query_params.lists() if name != "cursor"]
        query = urlencode(others, doseq=True) + "&" if others else ""
        return f"{self.request.build_absolute_uri(self.request.path)}?{query}"

    def get_paginated_response(self, data: list) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict) -> dict:
        url = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": url, "previous": url, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": api_settings.PAGE_SIZE}
        parameters: list[dict] = [{"name": "limit", "schema": limit}]
        if view.orderings:
            cursor = "The position of a page, from `next` or `previous`."
            parameters.append({"name": "cursor", "schema": {"type": "string"}, "description": cursor})
        if len(view.orderings) > 1:
            choices = [sign + name for name in view.orderings for sign in ("", "-")]
            ordering = {"type": "string", "enum": choices, "default": view.ordering}
            parameters.append({"name": "ordering", "schema": ordering})
        return [{"required": False, "in": "query", **parameter} for parameter in parameters]

    def to_html(self) -> str:
        context = {"previous_url": self.previous, "next_url": self.next}
        return loader.get_template(self.template).render(context)
