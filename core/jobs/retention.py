"""Daily removal of expired rows, by the worker and by `manage.py prune`.

Each app registers its chores (a name, and a function that deletes) in `AppConfig.ready`.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from core.jobs.schedule import has_queue, schedule

EVERY = timedelta(days=1)
ROWS_AT_ONCE = 1000

Prune = Callable[[], Iterator[int]]
CHORES: dict[str, Prune] = {}


def register(what: str, prune: Prune) -> None:
    """Run `prune` every day. It deletes in batches, committing each, and yields the number of rows of each batch."""
    CHORES[what] = prune


def in_batches(rows: QuerySet) -> Iterator[int]:
    """Delete the rows in batches, each in a transaction of its own, and yield how many each deleted."""
    while keys := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        # Apply the condition again: a row that was used since the keys were read must stay.
        _, deleted = rows.filter(pk__in=keys).delete()
        yield deleted.get(rows.model._meta.label, 0)


def prune() -> Iterator[tuple[str, Iterator[int]]]:
    """Yield each chore's name and its batch sizes; iterating over these does the work."""
    for what, chore in CHORES.items():
        yield what, chore()


def prune_tasks() -> Iterator[int]:
    return in_batches(DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - settings.KEEP_LOGS))


@task(queue_name="upkeep")
def prune_daily() -> None:
    # Schedule before the work, so that the next run comes even if this one fails.
    schedule(prune_daily, after=EVERY)
    for _, batches in prune():
        sum(batches)


def schedule_after_migrate(using: str, **kwargs: object) -> None:
    """Queue the first run. Receiver for post_migrate, which every deployment sends."""
    if has_queue(using):
        schedule(prune_daily)
