"""How often a caller may ask. Counted in windows of time, in the cache, so that all processes count together.

A request counts against "everything" and against what its route is named for below. Streams count apart: a player
that asks for many small ranges must not use up what its listener has left for other things.
"""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.http.addresses import address_of

STREAMS = {"song-stream", "song-download", "ad-audio"}
NAMED = {
    ("POST", "user-list"): "registration",
    ("POST", "password-reset"): "password",
    ("POST", "password-reset-confirm"): "password",
    ("POST", "password-change"): "password",
    ("DELETE", "profile-detail"): "password",
    ("POST", "email-change"): "password",
    ("POST", "email-verify"): "password",
    ("GET", "song-search"): "search",
    ("POST", "song-play"): "play",
}


class CallerThrottle(BaseThrottle):
    """The one throttle of every view: by user, or by address where nobody is logged in."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = request.user.pk if request.user.is_authenticated else address_of(request._request)
        self.seconds = seconds_to_wait(request._request, str(caller))
        return not self.seconds

    def wait(self) -> int:
        return self.seconds


def seconds_until_refusal_ends(request: HttpRequest) -> int:
    """For what is refused before the throttle is asked, which would else be free: missing and wrong tokens, for one."""
    return 0 if hasattr(request, "was_counted") else seconds_to_wait(request, address_of(request))


def seconds_to_wait(request: Any, caller: str) -> int:
    """Counts the request; 0 where it is within all its rates."""
    request.was_counted = True
    if not settings.THROTTLING:
        return 0
    return max(_seconds_over(name, caller) for name in names_of(request))


def names_of(request: HttpRequest) -> list[str]:
    """What a request counts against."""
    route = request.resolver_match.view_name if request.resolver_match else ""
    method = "GET" if request.method == "HEAD" else request.method
    if method == "GET" and route in STREAMS:
        return ["stream"]
    names = ["everything"]
    if name := NAMED.get((method or "", route)):
        names.append(name)
    elif method == "GET" and "search" in request.GET:
        names.append("search")
    if (request.content_type or "").startswith("multipart/"):  # the only bodies that can bring a file
        names.append("upload")
    return names


def _seconds_over(name: str, caller: str) -> int:
    number, seconds = settings.THROTTLE_RATES[name]
    window, passed = divmod(int(time.time()), seconds)
    asked = _count(f"asked:{name}:{caller}:{window}", seconds)
    return seconds - passed if asked > number else 0


def _count(key: str, seconds: int) -> int:
    while True:
        try:
            return cache.incr(key)
        except ValueError:  # the first in this window
            if cache.add(key, 1, seconds):
                return 1
