"""Base of the serializers of the most used lists, which read named tuples instead of models.

A serializer names the `columns` that it reads, and the pagination selects these alone. Its fields declare the published
shape; `to_representation` builds it by hand, because DRF's loop over fields costs more than the query. A single object
may also be a model with the same attributes.
"""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request


def origin_of(request: Request) -> str:
    """Return scheme and host of the request's address."""
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
        # Not the storage's address: that of a private bucket changes with every answer and expires.
        return f"{self.origin}/media/{name}" if name else None
