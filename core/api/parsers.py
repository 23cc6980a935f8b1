"""Parsers of request bodies: JSON with a bounded depth, and multipart bodies with unreadable file names."""

import io
import re
from collections.abc import Iterator
from typing import IO, Any

from django.http import multipartparser
from django.http.multipartparser import (  # type: ignore[attr-defined]  # unknown to the stubs
    MAX_TOTAL_HEADER_SIZE,
    parse_boundary_stream,
)
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Endpoints need two levels.
MAX_DEPTH = 20


class BoundedJSONParser(JSONParser):
    """Refuse JSON that is nested so deeply that recursive code would fail on it."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        request: Any = (parser_context or {}).get("request")
        if getattr(getattr(request, "accepted_renderer", None), "format", None) == "api":
            # The browsable API shows what was typed again, even if it is not JSON.
            body = stream.read()
            request.json_text, stream = body.decode("utf-8", "replace"), io.BytesIO(body)
        data = super().parse(stream, media_type, parser_context)
        level = [data]
        for _ in range(MAX_DEPTH + 1):
            level = [child for parent in level for child in children_of(parent)]
        if level:
            raise ParseError("The request's body is nested too deeply.")
        return data


def children_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


FILE_NAME = re.compile(rb"""filename\*?=("(?:[^"\\]|\\.)*"|[^;]*)""", re.IGNORECASE)
UNNAMED = b'filename="Untitled"'


class PartsWithReadableNames(multipartparser.Parser):
    """Iterator over the parts of a multipart body that keeps files with an unreadable name; Django would drop them."""

    _stream: Any
    _separator: bytes

    def __iter__(self) -> Iterator[tuple]:
        for part in multipartparser.InterBoundaryIter(self._stream, self._separator):
            start = part.read(MAX_TOTAL_HEADER_SIZE)
            head, end, content = start.partition(b"\r\n\r\n")
            if end:
                head = b"\r\n".join(map(with_readable_file_name, head.split(b"\r\n")))
            part.unget(head + end + content)
            yield parse_boundary_stream(part, MAX_TOTAL_HEADER_SIZE)


def with_readable_file_name(header: bytes) -> bytes:
    """Return a part's header, with "Untitled" for a file name that is not UTF-8 or has no usable characters."""
    try:
        _, parameters = parse_header_parameters(header.decode())
    except (ValueError, LookupError):  # undecodable: the header, or an encoded parameter of it (RFC 2231)
        return FILE_NAME.sub(UNNAMED, header)
    name = parameters.get("filename")
    is_lost = name and not multipartparser.MultiPartParser.sanitize_file_name(None, name)
    return FILE_NAME.sub(UNNAMED, header) if is_lost else header


def replace_multipart_parser() -> None:
    """Replace Django's parser everywhere: the CSRF check parses forms with a session before the API's parsers do."""
    multipartparser.Parser = PartsWithReadableNames
