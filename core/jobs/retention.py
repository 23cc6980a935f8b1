"""Daily removal of rows that are not kept any longer: by `manage.py prune`, and by the worker.

Each app registers what it removes when it is ready.
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
    """Have `prune` called each day; it yields the number of rows that each of its committed batches removed."""
    CHORES[what] = prune


def in_batches(rows: QuerySet) -> Iterator[int]:
    """Delete the rows, few in each transaction, and yield how many. It can be interrupted and begun again."""
    while keys := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        # Filtered again: a row that was used meanwhile stays.
        _, deleted = rows.filter(pk__in=keys).delete()
        yield deleted.get(rows.model._meta.label, 0)


def prune() -> Iterator[tuple[str, Iterator[int]]]:
    """Yield the name of each chore and its batch sizes, which have to be read to the end."""
    for what, chore in CHORES.items():
        yield what, chore()


def prune_tasks() -> Iterator[int]:
    return in_batches(DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - settings.KEEP_LOGS))


@task(queue_name="upkeep")
def prune_daily() -> None:
    # Before the work, so that the next run comes whatever happens to this one.
    schedule(prune_daily, after=EVERY)
    for _, batches in prune():
        sum(batches)


def database_was_migrated(using: str, **kwargs: object) -> None:
    """Receiver for post_migrate, which comes after every start: from then on the worker prunes."""
    if has_queue(using):
        schedule(prune_daily)
