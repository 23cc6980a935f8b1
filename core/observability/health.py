"""Whether this process lives, and whether it can work. Nothing here waits longer than a second for anything."""

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
# A thread may hang on a machine that is gone. After so long another one tries.
GIVEN_UP_AFTER_SECONDS = 30


@dataclass
class Look:
    """One attempt at a check, in a thread of its own, which nobody has to wait for."""

    look: Callable[[], Any]
    began: float = field(default_factory=monotonic)
    ended: Event = field(default_factory=Event)
    result: Any = "down"

    def start(self) -> "Look":
        Thread(target=self.run, daemon=True).start()
        return self

    def run(self) -> None:
        try:
            self.result = self.look()
        except Exception:  # whatever it is, what was looked at does not work
            self.result = "down"
        finally:
            connection.close()
            self.ended.set()

    def is_of_use(self) -> bool:
        return monotonic() - self.began < (FRESH_SECONDS if self.ended.is_set() else GIVEN_UP_AFTER_SECONDS)

    def answer(self) -> Any:
        self.ended.wait(max(0, self.began + PATIENCE_SECONDS - monotonic()))
        return self.result if self.ended.is_set() else "down"


looks: dict[str, Look] = {}
starting = Lock()


def latest(name: str) -> Look:
    with starting:
        if name not in looks or not looks[name].is_of_use():
            looks[name] = Look(CHECKS[name]).start()
        return looks[name]


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
    except NotImplementedError:  # not a disk: it has to be asked
        default_storage.exists("health")
        return "up"
    while not folder.exists():  # made by the first upload
        folder = folder.parent
    return "up" if os.access(folder, os.W_OK) else "down"


def check_queue() -> dict[str, float]:
    leases = WorkerLease.objects.filter(ends_at__gt=timezone.now())
    # A worker has a lease for each of its two lanes.
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
    """Answer whether the database is there. Only METRICS_ALLOWED are told of the rest, which decides nothing."""
    begun = {name: latest(name) for name in (CHECKS if may_read(request) else ["database"])}
    results = {name: look.answer() for name, look in begun.items()}
    is_ready = results["database"] == "up"
    body: dict[str, Any] = {"status": "ready" if is_ready else "unavailable"}
    if len(results) > 1:
        body["checks"] = results
    return JsonResponse(body, status=200 if is_ready else 503)
