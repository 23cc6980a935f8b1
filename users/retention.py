"""What the accounts leave behind and nobody needs any more."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from users.models import AuthToken, FailedLogin, SentMail

ROWS_AT_ONCE = 1000
# They count for a minute; the rest of the day is for looking into an attack.
FAILED_LOGINS_STAY = timedelta(days=1)


def in_batches(rows: QuerySet) -> Iterator[int]:
    """Deletes the rows, few in each transaction; how many, batch by batch. It can be cut off and begun again."""
    while keys := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        # Asked again: what was used meanwhile stays.
        _, deleted = rows.filter(pk__in=keys).delete()
        yield deleted.get(rows.model._meta.label, 0)


def prune_tokens() -> Iterator[int]:
    return in_batches(AuthToken.objects.filter(expiry__lte=timezone.now()))


def prune_browser_sessions() -> Iterator[int]:
    return in_batches(Session.objects.filter(expire_date__lte=timezone.now()))


def prune_failed_logins() -> Iterator[int]:
    return in_batches(FailedLogin.objects.filter(at__lt=timezone.now() - FAILED_LOGINS_STAY))


def prune_sent_mails() -> Iterator[int]:
    longest = max(seconds for rates in settings.MAIL_RATES.values() for _, seconds in rates)
    return in_batches(SentMail.objects.filter(at__lt=timezone.now() - timedelta(seconds=longest)))


def prune_tasks() -> Iterator[int]:
    return in_batches(DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - settings.KEEP_LOGS))
