"""A log line for each task that the worker runs, and the task's id on all lines that it logs."""

import logging
from contextvars import ContextVar, Token
from time import perf_counter
from typing import Any

from django_tasks.base import TaskResult, TaskResultStatus
from django_tasks.signals import task_finished, task_started

from core.observability.logs import current_id

logger = logging.getLogger(__name__)

# Start time (perf_counter) of the current task, and the token that restores the id before it.
current_task: ContextVar[tuple[float, Token] | None] = ContextVar("current_task", default=None)


def connect_log() -> None:
    task_started.connect(begin)
    task_finished.connect(end)


def begin(*, task_result: TaskResult, **kwargs: Any) -> None:
    current_task.set((perf_counter(), current_id.set(str(task_result.id))))


def end(*, task_result: TaskResult, **kwargs: Any) -> None:
    if (begun := current_task.get()) is None:
        return
    began, before = begun
    current_task.set(None)
    # A failed task that was put back into the queue has no end status: its result still says RUNNING.
    status = "RETRIED" if task_result.status == TaskResultStatus.RUNNING else task_result.status.value
    fields = {
        "task": task_result.task.module_path,
        "task_id": str(task_result.id),
        "status": status,
        "ms": round((perf_counter() - began) * 1000, 1),
    }
    logger.info("task", extra={"fields": fields})
    current_id.reset(before)
