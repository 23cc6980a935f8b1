"""Routes of requests for logs and metrics."""

import re
from functools import lru_cache

from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
UNROUTED = "unrouted"


def route_of(request: HttpRequest) -> str:
    """Return the template of the request's path, such as /api/songs/{id}; for unknown paths "unrouted"."""
    if operators := getattr(request, "operators_route", None):
        return operators
    match = request.resolver_match
    if match is None or match.url_name == "no-such-resource":
        return UNROUTED
    return template_of(match.route)


@lru_cache(maxsize=1000)
def template_of(route: str) -> str:
    """Return a readable template: `api/^songs/(?P<pk>[0-9a-f-]+)/?$` becomes /api/songs/{id}."""
    named = PARAMETER.sub(r"{\1}", simplify_regex(route)).replace("{pk}", "{id}")
    return named.rstrip("/") or "/"
