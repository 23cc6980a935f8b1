"""Answers that say `Cache-Control: public` are given again while they are fresh, as a cache in front of us would.

Each process keeps its own, so nobody waits for a cache server. Whoever has a token or a session is never answered from
here, and what is answered counts against the caller's rates. ANONYMOUS_CACHE_SECONDS=0 turns it off.
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

route_of = lru_cache(maxsize=100)(resolve)


class CachedAnswer(NamedTuple):
    content: bytes
    headers: dict[str, str]
    since: float


def anonymous_cache(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        seconds = settings.ANONYMOUS_CACHE_SECONDS
        if not seconds or request.method != "GET" or not _is_anonymous(request):
            return get_response(request)
        key = _key(request)
        kept: CachedAnswer | None = caches["answers"].get(key)
        if kept is None:
            response = get_response(request)
            if response.get("Cache-Control", "").startswith("public") and _can_be_kept(response):
                kept = CachedAnswer(response.content, dict(response.headers), time.time())
                caches["answers"].set(key, kept, seconds)
            return response
        request.resolver_match = route_of(request.path_info)
        if seconds_to_wait(request, address_of(request)):
            return get_response(request)
        response = HttpResponse(kept.content, headers=kept.headers)
        response["Age"] = str(int(time.time() - kept.since))
        try:
            return not_modified(response) if is_unchanged(request, kept.headers["ETag"]) else response
        except PreconditionFailed:
            return get_response(request)

    return middleware


def forget(**kwargs: object) -> None:
    """Receiver for post_save and post_delete of what lists are made of. Other processes see it a moment later."""
    transaction.on_commit(caches["answers"].clear)


def _is_anonymous(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" not in request.META and settings.SESSION_COOKIE_NAME not in request.COOKIES


def _can_be_kept(response: HttpResponse) -> bool:
    return response.status_code == 200 and not response.streaming and not response.cookies and "ETag" in response


def _key(request: HttpRequest) -> str:
    asked = request.META
    parts = (request.scheme, *(asked.get(name, "") for name in ("HTTP_HOST", "HTTP_ACCEPT", "HTTP_ORIGIN")))
    return blake2b("\n".join((*parts, request.get_full_path())).encode("utf-8", "replace")).hexdigest()
