"""Each task of the worker: one line in the log, and its id on all that is logged meanwhile."""

import logging
from contextvars import ContextVar, Token
from time import perf_counter
from typing import Any

from django_tasks.base import TaskResult, TaskResultStatus
from django_tasks.signals import task_finished, task_started

from core.observability.logs import current_id

logger = logging.getLogger(__name__)

under_way: ContextVar[tuple[float, Token] | None] = ContextVar("under_way", default=None)


def listen() -> None:
    task_started.connect(begin)
    task_finished.connect(end)


def begin(*, task_result: TaskResult, **kwargs: Any) -> None:
    under_way.set((perf_counter(), current_id.set(str(task_result.id))))


def end(*, task_result: TaskResult, **kwargs: Any) -> None:
    if (begun := under_way.get()) is None:
        return
    began, before = begun
    under_way.set(None)
    # What has failed and is put back into the queue has not ended: it is still called running.
    status = "RETRIED" if task_result.status == TaskResultStatus.RUNNING else task_result.status.value
    fields = {
        "task": task_result.task.module_path,
        "task_id": str(task_result.id),
        "status": status,
        "ms": round((perf_counter() - began) * 1000, 1),
    }
    logger.info("task", extra={"fields": fields})
    current_id.reset(before)
