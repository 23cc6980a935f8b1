"""From Stripe's subscription to one row of ours. Nothing else writes these rows."""

import logging
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from payments import mails, members, students
from payments.errors import SubscriptionNotFound
from payments.models import BillingAccount, ClosedCustomer, Status, Subscription, SubscriptionPlan, UsedTrial
from payments.stripe import store as stripe_tables
from payments.stripe.customer_lock import lock_customer
from payments.tasks import cancel_duplicate_subscription, delete_stripe_customer

logger = logging.getLogger(__name__)


def sync_subscription(stripe_id: str, *, customer: str) -> Subscription | None:
    """Ask Stripe for the subscription and make our row say the same; then see to what follows from the change.

    Webhooks and our own calls come here alike, in any order and as often as they like: what counts is what Stripe
    says now.
    """
    with transaction.atomic():
        account = lock_customer(customer)
        if account is None:
            _end_if_closed(customer)
            return None
        fields = _fields_of(stripe_id, account)
        if fields is None:
            return None
        if Subscription(**fields).is_open:
            fields["is_extra"] = not _takes_precedence(fields, account)
        return _save(fields)


def _fields_of(stripe_id: str, account: BillingAccount) -> dict[str, Any] | None:
    """What Stripe says of it, as our columns; None where it is none of ours."""
    row = Subscription.objects.filter(stripe_id=stripe_id).first()
    try:
        said = stripe_tables.save_subscription(stripe_id)
    except SubscriptionNotFound:
        return {**_kept(row), "status": Status.CANCELED} if row else None
    plan = _plan_of(said) or (row and row.plan)
    if plan is None:
        logger.warning("%s is for a product that is none of our plans: left alone.", stripe_id)
        return None
    _note_trial(account, said)
    return {
        "stripe_id": stripe_id,
        "user": account.user,
        "plan": plan,
        "status": said["status"],
        "started_at": _time(said["created"]),
        "current_period_end": _time(said["items"]["data"][0].get("current_period_end")),
        "cancel_at_period_end": bool(said["cancel_at_period_end"] or said.get("cancel_at")),
        "trial_end": _time(said.get("trial_end")),
        "is_extra": False,
    }


def _kept(row: Subscription) -> dict[str, Any]:
    return {"stripe_id": row.stripe_id, "user": row.user, "plan": row.plan, "started_at": row.started_at}


def _plan_of(said: dict[str, Any]) -> SubscriptionPlan | None:
    """By the product, whose prices change over the years; by the price where the product is not known."""
    price = said["items"]["data"][0]["price"]
    known = Q(stripe_product_id=price["product"]) | Q(stripe_price_id=price["id"])
    return SubscriptionPlan.objects.paid_for().filter(known).first()


def _takes_precedence(fields: dict[str, Any], account: BillingAccount) -> bool:
    """Whether it is the person's one subscription. What entitles goes before what does not, then what was first."""
    rival = Subscription.objects.open().filter(user=account.user).exclude(stripe_id=fields["stripe_id"]).first()
    if rival is None:
        return True
    # It may have ended, and the news be still on its way.
    now = _fields_of(rival.stripe_id, account)
    if now is None:
        return True
    stays, ours = Subscription(**now), Subscription(**fields)
    wins = not stays.is_open or (not ours.is_entitling, ours.started_at) < (not stays.is_entitling, stays.started_at)
    _save({**now, "is_extra": wins and stays.is_open})
    return wins


def _save(fields: dict[str, Any]) -> Subscription:
    before = Subscription.objects.select_for_update().filter(stripe_id=fields["stripe_id"]).first()
    now, _ = Subscription.objects.update_or_create(stripe_id=fields["stripe_id"], defaults=fields)
    _follow_up(before, now)
    return now


def _follow_up(before: Subscription | None, now: Subscription) -> None:
    """What a change brings with it. The same state again is no change, and brings nothing."""
    was_entitling = before is not None and before.is_entitling
    if was_entitling and before.status != now.status == Status.PAST_DUE:  # type: ignore[union-attr]
        mails.payment_failed.enqueue(str(now.pk))
    if was_entitling and not now.is_entitling and not now.is_extra:
        mails.plan_ended.enqueue(str(now.pk))
    if now.is_extra and not (before and before.is_extra):
        cancel_duplicate_subscription.enqueue(now.stripe_id)
    if now.is_entitling and not was_entitling:
        members.leave_seat(now.user)
    if now.is_open:
        members.trim_seats(now)
        students.end_if_lapsed(now)
    else:
        members.end_all_seats(now)


def _note_trial(account: BillingAccount, said: dict[str, Any]) -> None:
    if said.get("trial_start") and not account.trial_used_at:
        account.trial_used_at = _time(said["trial_start"])
        account.save(update_fields=["trial_used_at"])
        UsedTrial.objects.remember(account.user.email_key)


def _end_if_closed(customer: str) -> None:
    """Something was subscribed to at the very moment when the account was closed."""
    if ClosedCustomer.objects.of(customer).exists():
        delete_stripe_customer.enqueue(customer)


def _time(stamp: int | None) -> datetime | None:
    return datetime.fromtimestamp(stamp, UTC) if stamp else None
