"""How rows become answers on the paths that everybody uses.

A serializer here names the `columns` that it reads, and the page reads these alone, without making models of them. Its
fields are the published shape; `to_representation` puts it together itself, because DRF's way, field by field, costs
more than the query. A single object may come as a model with the same attributes.
"""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request


def origin_of(request: Request) -> str:
    """Scheme and host that the caller came by."""
    return f"{request.scheme}://{request.get_host()}"


class RowSerializer(serializers.ModelSerializer):
    columns: tuple[str, ...]

    @classmethod
    def read(cls, rows: QuerySet) -> QuerySet:
        return rows.values_list(*cls.columns, named=True)

    @cached_property
    def origin(self) -> str:
        return origin_of(self.context["request"])

    def image_url(self, name: Any) -> str | None:
        # Not the storage's: that of a private bucket changes with every answer and ends.
        return f"{self.origin}/media/{name}" if name else None
