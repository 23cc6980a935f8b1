"""The bytes of a song over HTTP: whole, in ranges (RFC 9110, section 14), or by redirect to where they lie."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO

from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

CHUNK = 64 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)


class UnsatisfiableRange(Exception):
    pass


def deliver(file: FieldFile, *, content_type: str, request: HttpRequest) -> HttpResponseBase:
    if not isinstance(file.storage, FileSystemStorage):
        return HttpResponseRedirect(file.url)
    etag = f'"{PurePath(file.name).stem}"'  # a new file gets a new key, so the key tells the bytes apart
    size = file.size
    try:
        wanted = wanted_range(request, size, etag)
    except UnsatisfiableRange:
        response: HttpResponseBase = HttpResponse(status=416, content_type=content_type)
        response["Content-Range"] = f"bytes */{size}"
    else:
        start, end = wanted or (0, size - 1)
        source = file.storage.open(file.name, "rb")
        response = StreamingHttpResponse(_bytes(source, start, end), content_type=content_type)
        # Also where the client has it already (304) or asked for the head alone, and nothing is read.
        response._resource_closers.append(source.close)
        response["Content-Length"] = end - start + 1
        if wanted:
            response.status_code = 206
            response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def wanted_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte, both inclusive; None where the whole file is the answer."""
    header = request.headers.get("Range", "")
    # If-Range: a part of another version than the one the client has would spoil what it has.
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    match = RANGE.fullmatch(header.strip())
    if (
        match is None or len(header) > 100 or match.group() in ("bytes=-", "bytes=")
    ):  # several ranges, other units, nonsense: may be ignored
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
        satisfiable = int(last) > 0 and size > 0
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:  # not a range at all, as the RFC has it
            return None
        satisfiable = start < size
    if not satisfiable:
        raise UnsatisfiableRange
    return start, end


def _bytes(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start + 1
    while left and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
