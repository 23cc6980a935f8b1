"""The bytes of a song over HTTP: whole, in ranges (RFC 9110, section 14), or by redirect to where they lie."""

import re
from pathlib import PurePath
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from core.http.conditions import is_unchanged, not_modified

RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)


class UnsatisfiableRange(Exception):
    pass


class Part:
    """A stretch of an open file, as a file that ends where the stretch ends."""

    def __init__(self, file: IO[bytes], start: int, length: int):
        file.seek(start)
        self.file, self.left = file, length
        self.close = file.close

    def read(self, size: int) -> bytes:
        chunk = self.file.read(min(size, self.left))
        self.left -= len(chunk)
        return chunk


class PartResponse(FileResponse):
    block_size = 256 * 1024


def deliver(
    file: FieldFile, *, content_type: str, request: HttpRequest, disposition: str | None = None
) -> HttpResponseBase:
    """`disposition` is the Content-Disposition of a file that is to be kept."""
    if not isinstance(file.storage, FileSystemStorage):
        return HttpResponseRedirect(_address_of(file, content_type, disposition))
    if settings.X_ACCEL_REDIRECT:
        return _sent_by_nginx(file, content_type, disposition)
    etag = f'"{PurePath(str(file.name)).stem}"'  # a new file gets a new key, so the key tells the bytes apart
    if is_unchanged(request, etag):
        return not_modified(HttpResponse(headers={"ETag": etag}))
    response = _whole_or_part(file, content_type, request, etag)
    response["Accept-Ranges"] = "bytes"
    if disposition:
        response["Content-Disposition"] = disposition
    response["ETag"] = etag
    return response


def _whole_or_part(file: FieldFile, content_type: str, request: HttpRequest, etag: str) -> HttpResponseBase:
    size = file.size
    response: Any
    try:
        wanted = wanted_range(request, size, etag)
    except UnsatisfiableRange:
        response = HttpResponse(status=416, content_type=content_type)
        response["Content-Range"] = f"bytes */{size}"
        return response
    start, end = wanted or (0, size - 1)
    part = Part(file.storage.open(str(file.name), "rb"), start, end - start + 1)
    response = PartResponse(part, content_type=content_type, status=206 if wanted else 200)
    response["Content-Length"] = part.left
    if wanted:
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    return response


def _sent_by_nginx(file: FieldFile, content_type: str, disposition: str | None) -> HttpResponse:
    """nginx answers ranges and conditions by itself, and takes these headers over."""
    headers = {"X-Accel-Redirect": f"{settings.X_ACCEL_REDIRECT.rstrip('/')}/{file.name}"}
    if disposition:
        headers["Content-Disposition"] = disposition
    return HttpResponse(content_type=content_type, headers=headers)


def _address_of(file: FieldFile, content_type: str, disposition: str | None) -> str:
    storage: Any = file.storage
    said = {"ResponseContentDisposition": disposition, "ResponseContentType": content_type} if disposition else None
    return storage.url(file.name, parameters=said, expire=int(settings.PRESIGNED_URL_LIFETIME.total_seconds()))


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
