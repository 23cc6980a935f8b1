"""Background tasks that are tried again until they succeed."""

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
    """`@task`, tried again ever later when it raises, `attempts` times altogether.

    A worker may be killed after the last line of a task as well as before the first, so it must do no harm twice.
    """

    def decorate(function: Callable) -> Task:
        ATTEMPTS[function] = attempts
        return task(**options)(function)

    return decorate


def should_retry(function: Callable, *, attempt: int) -> bool:
    """Whether the task of this function has another chance when this attempt (the first is 1) has failed."""
    return attempt < ATTEMPTS.get(function, 1)


def retry_delay(attempt: int) -> timedelta:
    # The exponent is bounded, so that the thousandth attempt is not a number too large for a pause.
    return min(FIRST_PAUSE * 2 ** min(attempt - 1, 20), LONGEST_PAUSE)
