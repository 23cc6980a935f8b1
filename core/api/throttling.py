"""Throttling by fixed windows of time, counted in the cache, so that all processes count together.

A request counts against the rate "everything" and against the rate of its route, if there is one below. Streams count
separately: a player that fetches many small ranges must not use up its listener's rate for other requests.
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
RATE_OF_ROUTE = {
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
    """Throttle of all views: by user, or by address for anonymous callers."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = request.user.pk if request.user.is_authenticated else address_of(request._request)
        self.seconds = seconds_to_wait(request._request, str(caller))
        return not self.seconds

    def wait(self) -> int:
        return self.seconds


def seconds_until_refusal_ends(request: HttpRequest) -> int:
    """Count a request that was refused before its view's throttle, for example for a wrong token; 0 if it was counted.

    Return the seconds until its caller may ask again, by address. Else such requests would be unlimited.
    """
    return 0 if hasattr(request, "was_counted") else seconds_to_wait(request, address_of(request))


def seconds_to_wait(request: Any, caller: str) -> int:
    """Count the request. Return the seconds until the caller may ask again; 0 if it is within all its rates."""
    request.was_counted = True
    if not settings.THROTTLING:
        return 0
    return max(_seconds_over(rate, caller) for rate in rates_of(request))


def rates_of(request: HttpRequest) -> list[str]:
    """Return the names of the rates (THROTTLE_RATES) that a request counts against."""
    route = request.resolver_match.view_name if request.resolver_match else ""
    method = "GET" if request.method == "HEAD" else request.method
    if method == "GET" and route in STREAMS:
        return ["stream"]
    names = ["everything"]
    if name := RATE_OF_ROUTE.get((method or "", route)):
        names.append(name)
    elif method == "GET" and "search" in request.GET:
        names.append("search")
    if (request.content_type or "").startswith("multipart/"):  # only these can contain a file
        names.append("upload")
    return names


def _seconds_over(rate: str, caller: str) -> int:
    limit, seconds = settings.THROTTLE_RATES[rate]
    window, passed = divmod(int(time.time()), seconds)
    key = f"asked:{rate}:{caller}:{window}"
    while True:
        try:
            count = cache.incr(key)
            break
        except ValueError:  # the first request in this window
            # If another process adds the key between these two lines, `add` fails and `incr` is tried again.
            if cache.add(key, 1, seconds):
                count = 1
                break
    return seconds - passed if count > limit else 0
