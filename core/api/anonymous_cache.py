"""ETags, and the decorator that lets anonymous callers' answers be cached."""

import re
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

# Signed stream addresses differ in every answer, although what they lead to does not: ETags ignore the signature.
SIGNED = b"/stream?signature="
SIGNATURE = re.compile(rb"(?<=/stream)\?signature=[\w:-]+")


def etag_of(content: bytes) -> str:
    unsigned = SIGNATURE.sub(b"", content) if SIGNED in content else content
    return f'"{blake2b(unsigned, digest_size=16).hexdigest()}"'


def cached_for_anonymous(action: Callable) -> Callable:
    """Let answers to anonymous callers be cached for ANONYMOUS_CACHE_SECONDS, by us and by caches in between.

    Ours is core/http/anonymous_cache.py.
    """

    @wraps(action)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = action(view, request, *args, **kwargs)
        seconds = settings.ANONYMOUS_CACHE_SECONDS
        if seconds and not request.user.is_authenticated and request.accepted_renderer.format == "json":
            response["Cache-Control"] = f"public, max-age={seconds}"
        return response

    return answer
