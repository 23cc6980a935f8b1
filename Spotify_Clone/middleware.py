from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from music.viewsets.keeping import etag_of
from Spotify_Clone.api import error_answer, is_api

View = Callable[[HttpRequest], HttpResponse]


def request_limits(get_response: View) -> View:
    """Refuses bodies that no endpoint has a use for before they are read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
            response = error_answer(413, "too_large", "The request's body is larger than 100 MB.")
            response["Connection"] = "close"
            return response
        return get_response(request)

    return middleware


def conditional_answers(get_response: View) -> View:
    """ETag, Vary and Cache-Control for what the API answers to GET; 304 where the client has it already."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not is_api(request):
            return response
        patch_vary_headers(response, ["Authorization", "Cookie", "Accept"])
        if request.method not in ("GET", "HEAD") or response.status_code != 200:
            return response
        if not response.has_header("Cache-Control"):
            personal = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
            response["Cache-Control"] = "private, no-cache" if personal else "no-cache"
        if response.streaming or not response["Content-Type"].startswith("application/json"):
            return response
        if "no-store" not in response["Cache-Control"] and not response.has_header("ETag"):
            response["ETag"] = etag_of(response.content)
        return get_conditional_response(request, etag=response.get("ETag"), response=response) or response

    return middleware
