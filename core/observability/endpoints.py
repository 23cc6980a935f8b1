"""Middleware for /health and /metrics, which answers before hosts, redirects, sessions and throttles are checked."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from core.observability.health import live, ready
from core.observability.metrics import metrics
from core.observability.requests import View

# Load balancers call these by an IP address that is not in ALLOWED_HOSTS, and without TLS.
ROUTES = {"/health/live": live, "/health/ready": ready, "/metrics": metrics}


def operator_endpoints(get_response: View) -> View:
    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path_info.removesuffix("/")
        if path not in ROUTES:
            return get_response(request)
        response = ROUTES[path](request)
        if response is None:  # not for this caller
            return get_response(request)
        if request.method not in ("GET", "HEAD"):
            response = HttpResponseNotAllowed(["GET", "HEAD"])
        request.operators_route = path  # type: ignore[attr-defined]
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    return middleware
