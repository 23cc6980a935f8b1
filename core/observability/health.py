"""Liveness and readiness of this process, answered within a second even if a dependency hangs."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from core.jobs.leases import WorkerLease
from core.jobs.worker import LONG_LANE
from core.observability.metrics import may_read
from core.observability.queue import oldest_waiting_seconds

PATIENCE_SECONDS = 1
FRESH_SECONDS = 2
# A thread may hang on a machine that is gone. After this time another thread tries.
ABANDONED_AFTER_SECONDS = 30


@dataclass
class CheckRun:
    """One run of a check, in a thread of its own that requests can stop waiting for."""

    check: Callable[[], Any]
    began: float = field(default_factory=monotonic)
    ended: Event = field(default_factory=Event)
    result: Any = "down"

    def start(self) -> "CheckRun":
        Thread(target=self.run, daemon=True).start()
        return self

    def run(self) -> None:
        try:
            self.result = self.check()
        except Exception:  # whatever the error, the dependency does not work
            self.result = "down"
        finally:
            connection.close()
            self.ended.set()

    def is_current(self) -> bool:
        """Return whether its result is fresh, or it is still running and not yet abandoned."""
        return monotonic() - self.began < (FRESH_SECONDS if self.ended.is_set() else ABANDONED_AFTER_SECONDS)

    def wait(self) -> Any:
        """Return the result, or "down" if there is none within a second after the start."""
        self.ended.wait(max(0, self.began + PATIENCE_SECONDS - monotonic()))
        return self.result if self.ended.is_set() else "down"


runs: dict[str, CheckRun] = {}
start_lock = Lock()


def current_run(name: str) -> CheckRun:
    """Return the latest run of a check, after starting one if it is not current.

    Probes that come together share a run, so that a hanging dependency does not fill the process with threads.
    """
    with start_lock:
        if name not in runs or not runs[name].is_current():
            runs[name] = CheckRun(CHECKS[name]).start()
        return runs[name]


def check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "up"


def check_cache() -> str:
    key, value = f"health:{os.getpid()}", token_hex(8)
    cache.set(key, value, 10)
    return "up" if cache.get(key) == value else "down"


def check_storage() -> str:
    try:
        folder = Path(default_storage.path(""))
    except NotImplementedError:  # a bucket: any answer, be it that there is no such file, means that it works
        default_storage.exists("health")
        return "up"
    while not folder.exists():  # the first upload makes it
        folder = folder.parent
    return "up" if os.access(folder, os.W_OK) else "down"


def check_queue() -> dict[str, float]:
    leases = WorkerLease.objects.filter(ends_at__gt=timezone.now())
    # A worker has two leases, one for each lane: count one of them.
    workers = leases.exclude(worker__endswith=LONG_LANE).count()
    return {"oldest_waiting_seconds": oldest_waiting_seconds(), "workers": workers}


CHECKS: dict[str, Callable[[], Any]] = {
    "database": check_database,
    "cache": check_cache,
    "storage": check_storage,
    "queue": check_queue,
}


def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database works, else 503. METRICS_ALLOWED get the results of the other checks too.

    These do not change the status: without cache, storage or queue the process still answers most requests.
    """
    # Start all before waiting for one, so that all of them together take a second at most.
    started = {name: current_run(name) for name in (CHECKS if may_read(request) else ["database"])}
    results = {name: run.wait() for name, run in started.items()}
    is_ready = results["database"] == "up"
    body: dict[str, Any] = {"status": "ready" if is_ready else "unavailable"}
    if len(results) > 1:
        body["checks"] = results
    return JsonResponse(body, status=200 if is_ready else 503)
