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


NOTHING = "default-src 'none'; frame-ancestors 'none'"


class ContentSecurityPolicy(CSPMiddleware):
    """What pages may load is in the settings; whatever is no page, such as JSON, may load nothing."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        response[HEADER] = NOTHING
        return response


def request_limits(get_response: View) -> View:
    """Refuses bodies and queries that no endpoint has a use for before they are read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > settings.MAX_QUERY_BYTES or query.count("&") >= settings.MAX_QUERY_PARAMETERS:
            return error_answer(400, "too_large", "The query has too many parameters, or is too long.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        if "HTTP_TRANSFER_ENCODING" in request.META and length == "0":  # WSGI would take the body for empty
            return error_answer(411, "length_required", "Send the body with its Content-Length, not in chunks.")
        if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
            response = error_answer(413, "too_large", "The request's body is larger than 100 MB.")
            response["Connection"] = "close"
            return response
        return get_response(request)

    return middleware


def conditional_answers(get_response: View) -> View:
    """Give what the API answers to GET its ETag, Vary and Cache-Control; answer 304 where the client has it already."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code in (204, 304):
            # CommonMiddleware's 0: a 204 has no length, and that of a 304 would be the whole answer's.
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
    """Return whether a token, a session or a signature may have decided what is answered."""
    named = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
    return named or "signature" in request.GET


def with_etag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # Pages for people differ each time, by their form's token; streams bring an ETag with them, or nginx gives it.
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
