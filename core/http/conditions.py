"""Conditions of a request (RFC 9110, section 13) on what has an entity tag and no date of its last change.

So If-Modified-Since and If-Unmodified-Since are ignored, as the RFC has it; Django answers 412 to the latter.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException

# What the RFC (section 15.4.5) wants of a 304, if the whole answer would have it. Its length is none of it.
KEPT_HEADERS = ("Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary")


class PreconditionFailed(APIException):
    status_code = 412
    default_code = "precondition_failed"
    default_detail = "This is not the version that `If-Match` asks for."


def is_unchanged(request: HttpRequest, etag: str) -> bool:
    """Return whether the client has this version already. Raise PreconditionFailed where it wants another one."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and etag not in wanted:
        raise PreconditionFailed
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag.removeprefix("W/") in {each.removeprefix("W/") for each in known}


def not_modified(response: HttpResponseBase) -> HttpResponse:
    """Return the 304 in place of the whole answer."""
    unchanged = HttpResponseNotModified()
    for name in KEPT_HEADERS:
        if response.has_header(name):
            unchanged[name] = response[name]
    unchanged.cookies = response.cookies
    return unchanged
