"""Conditional requests (RFC 9110, section 13) for resources with an ETag but without a Last-Modified date.

If-Modified-Since and If-Unmodified-Since are ignored, as the RFC demands then. Django's own helper would answer 412 to
the latter.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException

# Headers of the full answer that a 304 must repeat (RFC 9110, section 15.4.5).
REPEATED_HEADERS = ("Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary")


class PreconditionFailed(APIException):
    status_code = 412
    default_code = "precondition_failed"
    default_detail = "This is not the version that `If-Match` asks for."


def is_unchanged(request: HttpRequest, etag: str) -> bool:
    """Return whether If-None-Match has this ETag. Raise PreconditionFailed if If-Match has others only."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and etag not in wanted:
        raise PreconditionFailed
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag.removeprefix("W/") in {each.removeprefix("W/") for each in known}


def not_modified(response: HttpResponseBase) -> HttpResponse:
    """Return the 304 that replaces the full answer."""
    unchanged = HttpResponseNotModified()
    for name in REPEATED_HEADERS:
        if response.has_header(name):
            unchanged[name] = response[name]
    unchanged.cookies = response.cookies
    return unchanged
