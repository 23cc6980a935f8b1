"""Requests by the template of their address."""

import re
from functools import lru_cache

from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
UNROUTED = "unrouted"


def route_of(request: HttpRequest) -> str:
    """The template of the address, such as /api/songs/{id}; never what somebody typed."""
    if operators := getattr(request, "operators_route", None):
        return operators
    match = request.resolver_match
    if match is None or match.url_name == "no-such-resource":
        return UNROUTED
    return template_of(match.route)


@lru_cache(maxsize=1000)
def template_of(route: str) -> str:
    """`api/^songs/(?P<pk>[0-9a-f-]+)/?$` becomes /api/songs/{id}."""
    named = PARAMETER.sub(r"{\1}", simplify_regex(route)).replace("{pk}", "{id}")
    return named.rstrip("/") or "/"
