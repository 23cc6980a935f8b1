"""Prometheus metrics at /metrics. Their labels are bounded: routes are templates (/api/songs/{id}), not paths."""

import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import DatabaseError, connections
from django.db.models import Count, Model
from django.db.models.signals import post_save
from django.db.transaction import on_commit
from django.http import HttpRequest, HttpResponse
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from core.http.addresses import address_of
from core.observability.queue import oldest_waiting_seconds

REQUESTS = Counter("music_requests", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "music_request_seconds",
    "Seconds until an answer's headers",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
QUERIES = Counter("music_sql_queries", "SQL queries of requests", ["route"])
IN_PROGRESS = Gauge("music_requests_in_progress", "Requests being answered", multiprocess_mode="livesum")
PLAYS = Counter("music_plays", "Plays that counted")
UPLOADS = Counter("music_uploads", "Songs that were published")
ERRORS = Counter("music_errors", "Exceptions that ended in an answer of 500 and above")


def count_request(route: str, method: str, status: int, seconds: float, queries: int) -> None:
    REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    SECONDS.labels(route).observe(seconds)
    if queries:
        QUERIES.labels(route).inc(queries)


def connect_counters(*, plays: type[Model], uploads: type[Model]) -> None:
    """Count created rows of these models, and exceptions of requests."""
    post_save.connect(count_play, sender=plays)
    post_save.connect(count_upload, sender=uploads)
    got_request_exception.connect(count_error)


def count_play(*, created: bool, **kwargs: Any) -> None:
    if created:
        on_commit(PLAYS.inc)


def count_upload(*, created: bool, **kwargs: Any) -> None:
    if created:
        on_commit(UPLOADS.inc)


def count_error(**kwargs: Any) -> None:
    ERRORS.inc()


def metrics(request: HttpRequest) -> HttpResponse | None:
    """Return all metrics, or None for callers outside METRICS_ALLOWED, who get the 404 of any unknown address."""
    if not may_read(request):
        return None
    tasks = CollectorRegistry()
    tasks.register(QueueCollector())
    return HttpResponse(
        generate_latest(registry_of_all_processes()) + generate_latest(tasks), content_type=CONTENT_TYPE_LATEST
    )


def may_read(request: HttpRequest) -> bool:
    # Behind a proxy that TRUSTED_PROXIES does not count, all clients seem to have the address of the proxy.
    if not settings.TRUSTED_PROXIES and ("X-Forwarded-For" in request.headers or "Forwarded" in request.headers):
        return False
    try:
        address = ip_address(address_of(request))
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.METRICS_ALLOWED)


def registry_of_all_processes() -> CollectorRegistry:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return REGISTRY
    remove_dead_processes(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)
    return registry


def remove_dead_processes(folder: Path) -> None:
    """Drop the gauges of processes that have ended: a killed one would have requests in progress for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rsplit("_", 1)[1])
        if not is_alive(pid):
            mark_process_dead(pid, str(folder))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is alive, under another account
        return True
    return True


class QueueCollector(Collector):
    """Collector of the present state of the task queue; yields nothing while the database is unreachable."""

    def collect(self) -> Iterator[Metric]:
        try:
            count = dict(DBTaskResult.objects.values_list("status").annotate(Count("pk")))
            oldest = oldest_waiting_seconds()
        except DatabaseError:
            connections.close_all()
            return
        waiting, failed = count.get(TaskResultStatus.READY, 0), count.get(TaskResultStatus.FAILED, 0)
        yield GaugeMetricFamily("music_tasks_waiting", "Tasks that wait", waiting)
        yield GaugeMetricFamily("music_tasks_failed", "Tasks that failed for good", failed)
        yield GaugeMetricFamily("music_tasks_oldest_seconds", "How long the oldest due task has waited", oldest)
