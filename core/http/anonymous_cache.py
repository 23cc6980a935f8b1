"""Cache of answers with `Cache-Control: public`, for callers without a token or a session.

Each process has its own, in memory, so no request waits for a cache server. An answer from the cache counts against
the caller's rates as any other. ANONYMOUS_CACHE_SECONDS=0 turns the cache off.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from core.api.throttling import seconds_to_wait
from core.http.addresses import address_of
from core.http.conditions import PreconditionFailed, is_unchanged, not_modified

resolve_cached = lru_cache(maxsize=100)(resolve)


class CachedAnswer(NamedTuple):
    content: bytes
    headers: dict[str, str]
    since: float  # seconds since the epoch


def anonymous_cache(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        seconds = settings.ANONYMOUS_CACHE_SECONDS
        has_credentials = "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES
        if not seconds or request.method != "GET" or has_credentials:
            return get_response(request)
        key = _key(request)
        cached: CachedAnswer | None = caches["answers"].get(key)
        if cached is None:
            response = get_response(request)
            if response.get("Cache-Control", "").startswith("public") and _is_cacheable(response):
                cached = CachedAnswer(response.content, dict(response.headers), time.time())
                caches["answers"].set(key, cached, seconds)
            return response
        # The throttle and the log read the route from the request; no view will run to set it.
        request.resolver_match = resolve_cached(request.path_info)
        if seconds_to_wait(request, address_of(request)):
            return get_response(request)  # the view answers 429
        response = HttpResponse(cached.content, headers=cached.headers)
        response["Age"] = str(int(time.time() - cached.since))
        try:
            return not_modified(response) if is_unchanged(request, cached.headers["ETag"]) else response
        except PreconditionFailed:
            return get_response(request)

    return middleware


def clear_cached_answers(**kwargs: object) -> None:
    """Clear this process' cache after commit; other processes' answers expire after their two seconds.

    Receiver for post_save and post_delete of the models in lists.
    """
    transaction.on_commit(caches["answers"].clear)


def _is_cacheable(response: HttpResponse) -> bool:
    return response.status_code == 200 and not response.streaming and not response.cookies and "ETag" in response


def _key(request: HttpRequest) -> str:
    """Hash the address and the headers that an answer depends on."""
    parts = (request.scheme, *(request.META.get(name, "") for name in ("HTTP_HOST", "HTTP_ACCEPT", "HTTP_ORIGIN")))
    return blake2b("\n".join((*parts, request.get_full_path())).encode("utf-8", "replace")).hexdigest()
