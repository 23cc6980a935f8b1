"""A task backend that runs tasks at once, but queues delayed tasks and retries until the test runs them."""

from typing import Any

from django_tasks.base import TaskResultStatus

from core.jobs.retries import should_retry
from tests.tasks import AtOnce

waiting: list[tuple] = []


class WaitingBackend(AtOnce):
    supports_defer = True

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        if task.run_after is not None:
            return waiting.append((task, args, kwargs))
        result = super().enqueue(task, args, kwargs)
        if result and result.status == TaskResultStatus.FAILED and should_retry(task.func, attempt=1):
            waiting.append((task, args, kwargs))
        return result


def run_waiting_tasks() -> None:
    due, waiting[:] = waiting[:], []
    for task, args, kwargs in due:
        task.func(*args, **kwargs)
