"""The caller's data as one JSON document. It is sent while it is read, so a long history takes no memory."""

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

from Spotify_Clone.account.personal_data import SECTIONS, Section
from users.models import User

BYTES_AT_ONCE = 2**16


class ExportViewSet(GenericViewSet):
    is_single = True
    permission_classes = [IsAuthenticated]
    serializer_class = Serializer

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def retrieve(self, request: Request) -> StreamingHttpResponse:
        """All that is stored about the caller, to keep. Names of others' works are null where they are out of sight."""
        user: Any = request.user
        document = in_pieces(export_document(user))
        response = StreamingHttpResponse(document, content_type="application/json")
        response["Content-Disposition"] = 'attachment; filename="my-data.json"'
        response["Cache-Control"] = "private, no-store"
        return response


def export_document(user: User) -> Iterator[bytes]:
    yield b'{"exported_at":' + as_json(timezone.now())
    for section in SECTIONS:
        yield b',\n"' + section.name.encode() + b'":'
        yield from _single(section, user) if section.is_single else _list(section, user)
    yield b"}\n"


def _single(section: Section, user: User) -> Iterator[bytes]:
    yield as_json(next(section.read(user), None))


def _list(section: Section, user: User) -> Iterator[bytes]:
    separator = b"["
    for row in section.read(user):
        yield separator + as_json(row)
        separator = b",\n"
    yield b"]" if separator != b"[" else b"[]"


def as_json(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def in_pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Some thousand rows go out together: each piece on its own costs the server more than making it."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= BYTES_AT_ONCE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
