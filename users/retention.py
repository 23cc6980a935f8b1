"""Chores of the daily retention run: rows of accounts that are not needed any more."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.jobs.retention import in_batches
from users.models import AuthToken, FailedLogin, SentMail

# They count for a minute. The rest of the day is for admins who look into an attack.
FAILED_LOGIN_RETENTION = timedelta(days=1)


def prune_tokens() -> Iterator[int]:
    return in_batches(AuthToken.objects.filter(expiry__lte=timezone.now()))


def prune_browser_sessions() -> Iterator[int]:
    return in_batches(Session.objects.filter(expire_date__lte=timezone.now()))


def prune_failed_logins() -> Iterator[int]:
    return in_batches(FailedLogin.objects.filter(at__lt=timezone.now() - FAILED_LOGIN_RETENTION))


def prune_sent_mails() -> Iterator[int]:
    longest = max(seconds for rates in settings.MAIL_RATES.values() for _, seconds in rates)
    return in_batches(SentMail.objects.filter(at__lt=timezone.now() - timedelta(seconds=longest)))
