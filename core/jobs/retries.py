"""Background tasks that are retried after an error, with growing pauses."""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Any

from django_tasks import task
from django_tasks.base import Task

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

ATTEMPTS: dict[Callable, float] = {}


def retried_task(*, attempts: float = inf, **options: Any) -> Callable[[Callable], Task]:
    """Declare a task like `@task` does, and run it up to `attempts` times altogether while it raises.

    The function must be idempotent: a worker may be killed after its last line, and then another runs it again.
    """

    def decorate(function: Callable) -> Task:
        ATTEMPTS[function] = attempts
        return task(**options)(function)

    return decorate


def should_retry(function: Callable, *, attempt: int) -> bool:
    """Return whether the function's task may run again after this failed attempt (the first is 1)."""
    return attempt < ATTEMPTS.get(function, 1)


def retry_delay(attempt: int) -> timedelta:
    # Bound the exponent: 2 ** 1000 does not fit into a timedelta.
    return min(FIRST_PAUSE * 2 ** min(attempt - 1, 20), LONGEST_PAUSE)
