"""All that is not kept any longer, of every app: by `manage.py prune`, and by the worker each day."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django_tasks import task

from core.jobs.schedule import has_queue, schedule
from music.discovery.search.indexer import prune_words
from music.discovery.trending.refresh import refresh
from music.playback.retention import prune_history
from payments.retention import (
    prune_closed_customers,
    prune_invitations,
    prune_payment_requests,
    prune_stripe_events,
    prune_used_trials,
)
from users.retention import prune_browser_sessions, prune_failed_logins, prune_sent_mails, prune_tasks, prune_tokens

EVERY = timedelta(days=1)

# What goes, and what removes it batch by batch.
CHORES: dict[str, Callable[[], Iterator[int]]] = {
    "listening history": prune_history,
    "tokens": prune_tokens,
    "browser sessions": prune_browser_sessions,
    "failed log-ins": prune_failed_logins,
    "sent mails": prune_sent_mails,
    "finished tasks": prune_tasks,
    "invitations": prune_invitations,
    "payment requests": prune_payment_requests,
    "Stripe's events": prune_stripe_events,
    "closed customers": prune_closed_customers,
    "used trials": prune_used_trials,
    "search words": prune_words,
}


def prune() -> Iterator[tuple[str, Iterator[int]]]:
    """What goes, and the sizes of the batches that it goes in, each committed; to be read to the end."""
    refresh()  # trends sum up each play before it can go
    for what, chore in CHORES.items():
        yield what, chore()


@task(queue_name="upkeep")
def prune_daily() -> None:
    # Before the work, so that the next time comes whatever happens to this one.
    schedule(prune_daily, after=EVERY)
    for _, batches in prune():
        sum(batches)


def database_was_migrated(using: str, **kwargs: object) -> None:
    """Receiver for post_migrate, which comes after every start: from then on the worker prunes."""
    if has_queue(using):
        schedule(prune_daily)
