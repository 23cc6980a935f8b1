"""The caller's data as one JSON document, streamed while it is read, so that a long history takes no memory."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from Spotify_Clone.account.personal_data import SECTIONS
from users.models import User

CHUNK_BYTES = 2**16


class ExportViewSet(GenericViewSet):
    is_single = True
    permission_classes = [IsAuthenticated]
    serializer_class = Serializer

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def retrieve(self, request: Request) -> StreamingHttpResponse:
        """Return all stored data about the caller. Names of works that the caller may not see any more are null."""
        user: Any = request.user
        document = in_chunks(export_document(user))
        response = StreamingHttpResponse(document, content_type="application/json")
        response["Content-Disposition"] = 'attachment; filename="my-data.json"'
        response["Cache-Control"] = "private, no-store"
        return response


def export_document(user: User) -> Iterator[bytes]:
    yield b'{"exported_at":' + as_json(timezone.now())
    for section in SECTIONS:
        yield b',\n"' + section.name.encode() + b'":'
        if section.is_single:
            yield as_json(next(section.read(user), None))
        else:
            yield from as_json_list(section.read(user))
    yield b"}\n"


def as_json_list(rows: Iterable[Any]) -> Iterator[bytes]:
    separator = b"["
    for row in rows:
        yield separator + as_json(row)
        separator = b",\n"
    yield b"]" if separator != b"[" else b"[]"


def as_json(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def in_chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join parts to chunks of 64 KB: sending each row on its own costs the server more than making it."""
    chunk = bytearray()
    for part in parts:
        chunk += part
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
