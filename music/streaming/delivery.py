"""HTTP responses with the bytes of a file: whole, as a range (RFC 9110, section 14), or by redirect to the storage."""

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
    """The requested range is outside the file."""


class Part:
    """A range of an open file, as a file object that ends where the range ends."""

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
    """Answer a request with a file; `disposition` is the Content-Disposition of a download.

    A file in a bucket is a redirect to a signed URL there. With settings.X_ACCEL_REDIRECT nginx sends the file.
    """
    if not isinstance(file.storage, FileSystemStorage):
        return HttpResponseRedirect(_signed_bucket_url(file, content_type, disposition))
    if settings.X_ACCEL_REDIRECT:
        # nginx handles ranges and conditional requests itself, and copies these headers into its response.
        headers = {"X-Accel-Redirect": f"{settings.X_ACCEL_REDIRECT.rstrip('/')}/{file.name}"}
        if disposition:
            headers["Content-Disposition"] = disposition
        return HttpResponse(content_type=content_type, headers=headers)
    # A file is never overwritten (a new one gets a new key), so its key identifies the bytes.
    etag = f'"{PurePath(str(file.name)).stem}"'
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


def _signed_bucket_url(file: FieldFile, content_type: str, disposition: str | None) -> str:
    storage: Any = file.storage
    headers = {"ResponseContentDisposition": disposition, "ResponseContentType": content_type} if disposition else None
    return storage.url(file.name, parameters=headers, expire=int(settings.PRESIGNED_URL_LIFETIME.total_seconds()))


def wanted_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Return the first and last byte (inclusive) of the requested range; None if the whole file is to be sent.

    Ranges that the RFC allows to ignore are ignored: several at once, other units, and invalid ones. Raise
    UnsatisfiableRange.
    """
    header = request.headers.get("Range", "")
    # If-Range has the ETag of the part that the client has already. If the file has changed since, the client needs all
    # of it.
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    match = RANGE.fullmatch(header.strip())
    if match is None or len(header) > 100 or match.group() in ("bytes=-", "bytes="):
        return None
    first, last = match.groups()
    if not first:  # the last bytes of the file, "bytes=-500"
        start, end = max(size - int(last), 0), size - 1
        satisfiable = int(last) > 0 and size > 0
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:  # invalid according to the RFC
            return None
        satisfiable = start < size
    if not satisfiable:
        raise UnsatisfiableRange
    return start, end
