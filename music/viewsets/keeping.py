"""Lists that anybody gets are answered again for a few seconds without asking the database.

Only what an anonymous caller is answered is kept, after permissions and throttles, in the process itself: so nothing
personal ever is, and nobody waits for a cache server. `ANONYMOUS_CACHE_SECONDS` is how long, 0 is not at all.
"""

import re
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

# Signed addresses change with every answer; what they lead to does not.
SIGNATURE = re.compile(rb"(?<=/stream)\?signature=[\w:-]+")


def etag_of(content: bytes) -> str:
    return f'"{blake2b(SIGNATURE.sub(b"", content), digest_size=16).hexdigest()}"'


def kept_for_anybody(action: Callable) -> Callable:
    @wraps(action)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        seconds = settings.ANONYMOUS_CACHE_SECONDS
        if not seconds or request.user.is_authenticated or request.accepted_renderer.format != "json":
            return action(view, request, *args, **kwargs)
        key = blake2b(f"{request.accepted_media_type} {request.build_absolute_uri()}".encode()).hexdigest()
        kept = caches["answers"].get(key)
        if kept is None:
            response = view.finalize_response(request, action(view, request, *args, **kwargs), *args, **kwargs).render()
            kept = response.content, response["Content-Type"], etag_of(response.content)
            caches["answers"].set(key, kept, seconds)
        content, content_type, etag = kept
        headers = {"ETag": etag, "Cache-Control": f"public, max-age={seconds}"}
        return HttpResponse(content, content_type=content_type, headers=headers)

    return answer
