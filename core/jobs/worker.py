"""The worker: runs the tasks of the queue, under a lease, so that what a killed one was doing is done by another."""

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import close_old_connections, connections, transaction
from django.utils import timezone
from django_tasks.base import TaskContext, TaskResultStatus
from django_tasks.signals import task_finished, task_started
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from core.db.outages import is_database_outage
from core.jobs.leases import WorkerLease
from core.jobs.retries import retry_delay, should_retry

logger = logging.getLogger(__name__)

DEFAULT_QUEUE = "default"
SHORT_LANE, LONG_LANE = "-short", "-long"
BEATS_PER_LEASE = 4
# Whatever kills its worker so often is no accident any more.
MAX_ATTEMPTS_LOST = 20
SECONDS_WITHOUT_DATABASE = 5


class LeasedWorker(Worker):
    """django-tasks-db's worker that others can take over from, and that tries again what asks for it."""

    current: DBTaskResult | None = None

    def run(self) -> None:
        while self.running:
            try:
                with leased(self.worker_id):
                    # After an outage: what we had begun is nobody's any more, though we are here.
                    for row in DBTaskResult.objects.running():
                        if row.worker_ids[-1] == self.worker_id:
                            requeue(row)
                    return super().run()
            except DatabaseFailure as error:
                if not is_database_outage(error):
                    raise
                logger.warning("The database can't be reached; trying again. %s", error)
                connections.close_all()
                time.sleep(SECONDS_WITHOUT_DATABASE)

    def run_task(self, row: DBTaskResult) -> None:
        self.running_task, self.current = True, row
        row.task_path = settings.MOVED_TASKS.get(row.task_path, row.task_path)
        try:
            record_success(row, call(row))
        except Exception as error:
            self._failed(row, error)
        except BaseException:  # told to end at once
            requeue(row)
            raise
        finally:
            self.running_task, self.current = False, None
            self._run_tasks += 1
        announce(task_finished, row)

    def _failed(self, row: DBTaskResult, error: Exception) -> None:
        attempt = len(row.worker_ids)
        if has_task(row) and should_retry(row.task.func, attempt=attempt):
            logger.warning("%s failed (attempt %d); it will be tried again.", row.task_path, attempt, exc_info=True)
            requeue(row, pause=retry_delay(attempt))
        else:
            logger.error("%s failed.", row.task_path, exc_info=True)
            row.set_failed(error)


class TwoLanes:
    """A worker that does short work (the default queue) in the main thread, and everything else beside it.

    A mail never waits behind a rendition, though one process does both.
    """

    def __init__(self, worker_id: str, *, interval: float) -> None:
        self.short = new_worker(worker_id + SHORT_LANE, queues=[DEFAULT_QUEUE], interval=interval)
        self.long = new_worker(worker_id + LONG_LANE, except_queues=[DEFAULT_QUEUE], interval=interval)
        self.failure: BaseException | None = None

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, self.stop)
        beside = Thread(target=self._run_long, daemon=True)
        beside.start()
        try:
            self.short.run()
            self.long.running = False
            beside.join()
        finally:
            # Told to end at once: the thread dies with the process, and its task waits for the next worker.
            if row := self.long.current:
                requeue(row)
        if self.failure:
            raise self.failure

    def stop(self, number: int, frame: Any) -> None:
        """End when the current tasks are done; the second time at once."""
        if not self.short.running:
            sys.exit(1)
        logger.warning("Ending when the current tasks are done; once more ends at once.")
        self.short.running = self.long.running = False

    def _run_long(self) -> None:
        try:
            self.long.run()
        except BaseException as error:
            self.failure = error
        finally:
            self.short.running = False
            connections.close_all()


def new_worker(
    worker_id: str,
    *,
    queues: Sequence[str] = ("*",),
    except_queues: Sequence[str] = (),
    interval: float,
    batch: bool = False,
) -> LeasedWorker:
    return LeasedWorker(
        queue_names=list(queues),
        excluded_queue_names=list(except_queues),
        interval=interval,
        batch=batch,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=worker_id,
    )


def call(row: DBTaskResult) -> Any:
    task: Any = row.task
    result: Any = row.task_result
    announce(task_started, row)
    context = [TaskContext(task_result=result)] if task.takes_context else []
    return task.call(*context, *result.args, **result.kwargs)


def record_success(row: DBTaskResult, value: Any) -> None:
    """Whom and what a task was about is nobody's business any more when it is done."""
    with transaction.atomic():
        row.set_successful(value)
        row.args_kwargs = {"args": [], "kwargs": {}}
        row.save(update_fields=["args_kwargs"])


def has_task(row: DBTaskResult) -> bool:
    """False where the code of the task is gone, as after an upgrade."""
    try:
        return bool(row.task)
    except Exception:
        return False


def announce(signal: Any, row: DBTaskResult) -> None:
    if has_task(row):
        signal.send(type(row.task.get_backend()), task_result=row.task_result)


@contextmanager
def leased(worker: str) -> Iterator[None]:
    """The lease is renewed beside the work, however long a task takes, and given back in the end."""
    renew(worker)
    take_over_lost_tasks()
    ended = Event()
    heart = Thread(target=beat, args=(worker, ended), daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        WorkerLease.objects.filter(pk=worker).delete()


def beat(worker: str, ended: Event) -> None:
    while not ended.wait(settings.WORKER_LEASE.total_seconds() / BEATS_PER_LEASE):
        try:
            close_old_connections()
            renew(worker)
            take_over_lost_tasks()
        except DatabaseFailure as error:
            logger.warning("The lease could not be renewed. %s", error)
    connections.close_all()


def renew(worker: str) -> None:
    now = timezone.now()
    WorkerLease.objects.update_or_create(worker=worker, defaults={"ends_at": now + settings.WORKER_LEASE})
    WorkerLease.objects.filter(ends_at__lt=now - settings.WORKER_LEASE).delete()


def take_over_lost_tasks() -> None:
    """Puts back into the queue what workers had begun whose lease has ended."""
    now = timezone.now()
    # First these, then the leases: whoever begins a task has renewed its lease before.
    begun = list(DBTaskResult.objects.running().filter(started_at__lt=now - settings.WORKER_LEASE))
    working = set(WorkerLease.objects.filter(ends_at__gt=now).values_list("worker", flat=True))
    for row in begun:
        if row.worker_ids[-1] in working:
            continue
        logger.warning("The worker of %s was lost; another one takes it over.", row.task_path)
        if len(row.worker_ids) < MAX_ATTEMPTS_LOST:
            requeue(row)
        else:
            row.set_failed(RuntimeError(f"Its worker was lost {MAX_ATTEMPTS_LOST} times."))


def requeue(row: DBTaskResult, *, pause: timedelta = timedelta()) -> None:
    """Ready to run again, unless somebody has put it back and begun it anew meanwhile."""
    same = DBTaskResult.objects.running().filter(pk=row.pk, started_at=row.started_at)
    same.update(status=TaskResultStatus.READY, run_after=timezone.now() + pause)
