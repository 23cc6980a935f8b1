"""Chores of the daily retention run: rows of payments that are not needed any more."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone
from djstripe import models as tables

from core.jobs.retention import in_batches
from payments.idempotency import RETENTION
from payments.models import ClosedCustomer, Membership, PaymentRequest, UsedTrial
from payments.models.trials import REMEMBERED_FOR


def prune_invitations() -> Iterator[int]:
    return in_batches(Membership.objects.invited().filter(expires_at__lte=timezone.now()))


def prune_payment_requests() -> Iterator[int]:
    now = timezone.now()
    return in_batches(PaymentRequest.objects.filter(created_at__lt=now - RETENTION).exclude(running_until__gt=now))


def prune_stripe_events() -> Iterator[int]:
    before = timezone.now() - settings.KEEP_LOGS
    yield from in_batches(tables.WebhookEventTrigger.objects.filter(created__lt=before))
    yield from in_batches(tables.Event.objects.filter(djstripe_created__lt=before))


def prune_used_trials() -> Iterator[int]:
    return in_batches(UsedTrial.objects.filter(noted_at__lt=timezone.now() - REMEMBERED_FOR))


def prune_closed_customers() -> Iterator[int]:
    # Long after the customer was deleted at Stripe no event about it can arrive any more.
    return in_batches(ClosedCustomer.objects.filter(ended_at__lt=timezone.now() - settings.KEEP_LOGS))
