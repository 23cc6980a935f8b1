"""Middleware: content security policy, limits of requests, and conditional answers of the API."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from core.api.anonymous_cache import etag_of
from core.api.errors import error_answer, is_api
from core.http.conditions import PreconditionFailed, is_unchanged, not_modified

View = Callable[[HttpRequest], HttpResponse]

LOAD_NOTHING = "default-src 'none'; frame-ancestors 'none'"


class ContentSecurityPolicy(CSPMiddleware):
    """Send the policy of the settings with HTML pages, and one that allows nothing with everything else."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        response[HEADER] = LOAD_NOTHING
        return response


def request_limits(get_response: View) -> View:
    """Refuse bodies and query strings larger than any endpoint needs, before they are read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > settings.MAX_QUERY_BYTES or query.count("&") >= settings.MAX_QUERY_PARAMETERS:
            return error_answer(400, "too_large", "The query has too many parameters, or is too long.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        if "HTTP_TRANSFER_ENCODING" in request.META and length == "0":
            # Under WSGI the body would be taken for empty.
            return error_answer(411, "length_required", "Send the body with its Content-Length, not in chunks.")
        if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
            response = error_answer(413, "too_large", "The request's body is larger than 100 MB.")
            # The body stays unread, so no other request can follow on this connection.
            response["Connection"] = "close"
            return response
        return get_response(request)

    return middleware


def conditional_answers(get_response: View) -> View:
    """Add ETag, Vary and Cache-Control to the API's answers to GET. Answer 304 if the client has the answer already."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code in (204, 304):
            # Remove the 0 of CommonMiddleware: a 204 has no length, and a 304's would be that of the full answer.
            del response["Content-Length"]
        if not is_api(request):
            return response
        patch_vary_headers(response, ["Authorization", "Cookie", "Accept"])
        if request.method not in ("GET", "HEAD"):
            return response
        caching = response.get("Cache-Control", "")
        if "no-store" in caching:
            return response
        if is_personal(request):
            response["Cache-Control"] = "private, no-cache"
        elif not caching:
            response["Cache-Control"] = "no-cache"
        return with_etag(request, response)

    return middleware


def is_personal(request: HttpRequest) -> bool:
    """Return whether the answer may depend on a token, a session or a signature."""
    named = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
    return named or "signature" in request.GET


def with_etag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # HTML pages have a new CSRF token each time; streams set their own ETag, or nginx does.
    is_data = response.get("Content-Type", "").startswith("application/")
    if response.status_code != 200 or response.streaming or not is_data:
        return response
    if not response.has_header("ETag"):
        response["ETag"] = etag_of(response.content)
    try:
        return not_modified(response) if is_unchanged(request, response["ETag"]) else response
    except PreconditionFailed as failed:
        refused = error_answer(failed.status_code, failed.default_code, failed.default_detail)
        for name in ("Cache-Control", "Vary"):
            refused[name] = response[name]
        return refused
