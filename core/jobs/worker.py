"""The background worker: runs queued tasks under a lease, so that another worker redoes what a killed one had begun.

A worker renews its lease (`WorkerLease`) from a thread of its own. A task that is marked as running by a worker
without a lease was lost; whichever worker notices first puts it back into the queue.
"""

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
RENEWALS_PER_LEASE = 4
# A task that has killed so many workers is the cause, not a victim.
MAX_ATTEMPTS_LOST = 20
SECONDS_WITHOUT_DATABASE = 5


class LeasedWorker(Worker):
    """django-tasks-db's worker with a lease, retries, and patience while the database is away."""

    current: DBTaskResult | None = None

    def run(self) -> None:
        while self.running:
            try:
                with leased(self.worker_id):
                    # An outage broke off a task of ours. The lease is ours again, so no other worker would take the
                    # task for lost: put it back ourselves.
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
            value = call_task(row)
            with transaction.atomic():
                row.set_successful(value)
                # Arguments may be personal data (addresses, ids), and a finished task has no more use for them.
                row.args_kwargs = {"args": [], "kwargs": {}}
                row.save(update_fields=["args_kwargs"])
        except Exception as error:
            self._retry_or_fail(row, error)
        except BaseException:  # SystemExit or KeyboardInterrupt: the process ends now
            requeue(row)
            raise
        finally:
            self.running_task, self.current = False, None
            self._run_tasks += 1
        send_signal(task_finished, row)

    def _retry_or_fail(self, row: DBTaskResult, error: Exception) -> None:
        attempt = len(row.worker_ids)
        if has_task(row) and should_retry(row.task.func, attempt=attempt):
            logger.warning("%s failed (attempt %d); it will be tried again.", row.task_path, attempt, exc_info=True)
            requeue(row, pause=retry_delay(attempt))
        else:
            logger.error("%s failed.", row.task_path, exc_info=True)
            row.set_failed(error)


class TwoLaneWorker:
    """A worker that runs short tasks (the default queue) in the main thread and all others in a second thread.

    So a mail never waits behind a rendition, although one process does both.
    """

    def __init__(self, worker_id: str, *, interval: float) -> None:
        self.short = make_worker(worker_id + SHORT_LANE, queues=[DEFAULT_QUEUE], interval=interval)
        self.long = make_worker(worker_id + LONG_LANE, except_queues=[DEFAULT_QUEUE], interval=interval)
        self.failure: BaseException | None = None

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, self.stop)
        # A daemon: a second signal ends the process without waiting for an hour of rendering.
        long_thread = Thread(target=self._run_long, daemon=True)
        long_thread.start()
        try:
            self.short.run()
            self.long.running = False
            long_thread.join()
        finally:
            # Left by a second signal: the thread dies with the process, so its task goes back into the queue.
            if row := self.long.current:
                requeue(row)
        if self.failure:
            raise self.failure

    def stop(self, number: int, frame: Any) -> None:
        """Stop after the current tasks; at the second signal, exit at once."""
        if not self.short.running:
            sys.exit(1)
        logger.warning("Stopping after the current tasks. A second signal stops at once.")
        self.short.running = self.long.running = False

    def _run_long(self) -> None:
        try:
            self.long.run()
        except BaseException as error:
            self.failure = error
        finally:
            # One lane alone would look like a healthy worker: whatever ends one ends both.
            self.short.running = False
            connections.close_all()


def make_worker(
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


def call_task(row: DBTaskResult) -> Any:
    task: Any = row.task
    result: Any = row.task_result
    send_signal(task_started, row)
    context = [TaskContext(task_result=result)] if task.takes_context else []
    return task.call(*context, *result.args, **result.kwargs)


def has_task(row: DBTaskResult) -> bool:
    """Return whether the task can still be imported; an upgrade may have removed its code."""
    try:
        return bool(row.task)
    except Exception:
        return False


def send_signal(signal: Any, row: DBTaskResult) -> None:
    if has_task(row):  # receivers read the task from its result
        signal.send(type(row.task.get_backend()), task_result=row.task_result)


@contextmanager
def leased(worker: str) -> Iterator[None]:
    """Take a lease, renew it from another thread however long the work takes, and delete it at the end."""
    renew_lease(worker)
    requeue_lost_tasks()
    ended = Event()
    renewal = Thread(target=renew_until, args=(ended, worker), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        # Join before deleting, or a renewal on its way would create the lease again.
        ended.set()
        renewal.join()
        WorkerLease.objects.filter(pk=worker).delete()


def renew_until(ended: Event, worker: str) -> None:
    while not ended.wait(settings.WORKER_LEASE.total_seconds() / RENEWALS_PER_LEASE):
        try:
            close_old_connections()
            renew_lease(worker)
            requeue_lost_tasks()
        except DatabaseFailure as error:
            logger.warning("The lease could not be renewed. %s", error)
    connections.close_all()


def renew_lease(worker: str) -> None:
    now = timezone.now()
    WorkerLease.objects.update_or_create(worker=worker, defaults={"ends_at": now + settings.WORKER_LEASE})
    WorkerLease.objects.filter(ends_at__lt=now - settings.WORKER_LEASE).delete()


def requeue_lost_tasks() -> None:
    """Put running tasks back into the queue whose worker has no lease any more; give up those lost too often."""
    now = timezone.now()
    # Tasks before leases: a worker takes its lease before its first task, so a task read here cannot lack a lease
    # that its living worker has yet to take.
    running = list(DBTaskResult.objects.running().filter(started_at__lt=now - settings.WORKER_LEASE))
    living_workers = set(WorkerLease.objects.filter(ends_at__gt=now).values_list("worker", flat=True))
    for row in running:
        if row.worker_ids[-1] in living_workers:
            continue
        logger.warning("The worker of %s was lost; the task is run again.", row.task_path)
        if len(row.worker_ids) < MAX_ATTEMPTS_LOST:
            requeue(row)
        else:
            row.set_failed(RuntimeError(f"Its worker was lost {MAX_ATTEMPTS_LOST} times."))


def requeue(row: DBTaskResult, *, pause: timedelta = timedelta()) -> None:
    """Mark the task as ready to run after the pause."""
    # Filter by its start: another worker may have requeued and restarted the task meanwhile.
    same = DBTaskResult.objects.running().filter(pk=row.pk, started_at=row.started_at)
    same.update(status=TaskResultStatus.READY, run_after=timezone.now() + pause)
