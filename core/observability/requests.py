"""Middleware that gives each request an id, a log line and its metrics."""

import logging
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from core.observability import metrics
from core.observability.logs import current_id
from core.observability.routes import route_of

View = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger(__name__)

# No quotes, spaces or line breaks, which could forge log lines.
SAFE_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
MAX_SQL_LENGTH = 4000


def observe_requests(get_response: View) -> View:
    def middleware(request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        request_id = id_of(request)
        before = current_id.set(request_id)
        metrics.IN_PROGRESS.inc()
        queries = QueryCounter(request)
        try:
            with connection.execute_wrapper(queries):
                response = get_response(request)
            response["X-Request-ID"] = request_id
            log_and_count(request, response.status_code, perf_counter() - began, queries.count)
            return response
        finally:
            metrics.IN_PROGRESS.dec()
            current_id.reset(before)

    return middleware


def log_and_count(request: HttpRequest, status: int, seconds: float, queries: int) -> None:
    route = route_of(request)
    method = request.method if request.method in METHODS else "OTHER"
    metrics.count_request(route, str(method), status, seconds, queries)
    fields = {
        "user": user_id_of(request),
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "sql": queries,
    }
    logger.info("request", extra={"fields": fields})


class QueryCounter:
    """Execute wrapper that counts the queries of a request and logs the slow ones."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.count = 0

    def __call__(self, execute: Callable, sql: Any, params: Any, many: bool, context: dict) -> Any:
        self.count += 1
        began = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            milliseconds = (perf_counter() - began) * 1000
            if 0 < settings.SLOW_QUERY_MS <= milliseconds:
                fields = {
                    "route": route_of(self.request),
                    "ms": round(milliseconds, 1),
                    # With placeholders: the values, which may be personal, are in `params`.
                    "query": str(getattr(sql, "statement_sql", sql))[:MAX_SQL_LENGTH],
                }
                logger.warning("slow query", extra={"fields": fields})


def id_of(request: HttpRequest) -> str:
    """Return the client's request id if it is safe to log, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if SAFE_ID.fullmatch(given) else uuid4().hex


def user_id_of(request: HttpRequest) -> str | None:
    user: Any = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):  # evaluating it would add a query to a request that needed none
        user = getattr(request, "_cached_user", None)
    return str(user.pk) if user is not None and user.pk else None
