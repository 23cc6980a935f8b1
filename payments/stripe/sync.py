"""Sync of Stripe's subscriptions to our rows. Nothing else writes Subscription."""

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
    """Fetch the subscription from Stripe, save it as our row, and do what follows from the change.

    Webhooks and our own calls to Stripe both end here, in any order and any number of times: the state that Stripe has
    now is the one that counts. Return None if the customer or the subscription is not ours.
    """
    with transaction.atomic():
        # The lock is older than the fetch: an older state can't be saved after a newer one.
        account = lock_customer(customer)
        if account is None:
            # Subscribed at the very moment when the account was deleted: delete the customer once more.
            if ClosedCustomer.objects.of(customer).exists():
                delete_stripe_customer.enqueue(customer)
            return None
        fields = _fetch_fields(stripe_id, account)
        if fields is None:
            return None
        if Subscription(**fields).is_open:
            fields["is_extra"] = not _takes_precedence(fields, account)
        return _save(fields)


def _fetch_fields(stripe_id: str, account: BillingAccount) -> dict[str, Any] | None:
    """Return Stripe's state of a subscription as fields of our row, or None if its product is none of our plans."""
    row = Subscription.objects.filter(stripe_id=stripe_id).first()
    try:
        data = stripe_tables.save_subscription(stripe_id)
    except SubscriptionNotFound:
        if row is None:
            return None
        return {
            "stripe_id": row.stripe_id,
            "user": row.user,
            "plan": row.plan,
            "started_at": row.started_at,
            "status": Status.CANCELED,
        }
    item = data["items"]["data"][0]
    # By product first: over the years a product has many prices.
    known = Q(stripe_product_id=item["price"]["product"]) | Q(stripe_price_id=item["price"]["id"])
    plan = SubscriptionPlan.objects.paid_for().filter(known).first() or (row and row.plan)
    if plan is None:
        logger.warning("%s is for a product that is none of our plans: ignored.", stripe_id)
        return None
    if data.get("trial_start") and not account.trial_used_at:
        account.trial_used_at = _time(data["trial_start"])
        account.save(update_fields=["trial_used_at"])
        UsedTrial.objects.remember(account.user.email_key)
    return {
        "stripe_id": stripe_id,
        "user": account.user,
        "plan": plan,
        "status": data["status"],
        "started_at": _time(data["created"]),
        "current_period_end": _time(item.get("current_period_end")),
        "cancel_at_period_end": bool(data["cancel_at_period_end"] or data.get("cancel_at")),
        "trial_end": _time(data.get("trial_end")),
        "is_extra": False,
    }


def _takes_precedence(fields: dict[str, Any], account: BillingAccount) -> bool:
    """Return whether this is the user's one subscription; else another one is, and this one is to be cancelled.

    An entitling subscription goes before one that does not entitle, then the older one before the newer. If this one
    wins, the other is saved as the extra one.
    """
    rival = Subscription.objects.open().filter(user=account.user).exclude(stripe_id=fields["stripe_id"]).first()
    if rival is None:
        return True
    # Fetched anew: it may have ended at Stripe, with its event still on the way.
    rival_fields = _fetch_fields(rival.stripe_id, account)
    if rival_fields is None:
        return True
    theirs, ours = Subscription(**rival_fields), Subscription(**fields)
    wins = not theirs.is_open or (not ours.is_entitling, ours.started_at) < (not theirs.is_entitling, theirs.started_at)
    # Saved first: a constraint allows one open subscription a user.
    _save({**rival_fields, "is_extra": wins and theirs.is_open})
    return wins


def _save(fields: dict[str, Any]) -> Subscription:
    """Save the row, and do what follows from the change. Saving the same state again has no effects."""
    before = Subscription.objects.select_for_update().filter(stripe_id=fields["stripe_id"]).first()
    now, _ = Subscription.objects.update_or_create(stripe_id=fields["stripe_id"], defaults=fields)
    was_entitling = before is not None and before.is_entitling
    if was_entitling and before.status != now.status == Status.PAST_DUE:  # type: ignore[union-attr]
        mails.payment_failed.enqueue(str(now.pk))
    if was_entitling and not now.is_entitling and not now.is_extra:
        mails.plan_ended.enqueue(str(now.pk))
    if now.is_extra and not (before and before.is_extra):
        cancel_duplicate_subscription.enqueue(now.stripe_id)
    if now.is_entitling and not was_entitling:
        members.leave_for_own_plan(now.user)
    if now.is_open:
        members.trim_seats(now)
        students.end_if_lapsed(now)
    else:
        members.end_all_seats(now)
    return now


def _time(stamp: int | None) -> datetime | None:
    return datetime.fromtimestamp(stamp, UTC) if stamp else None
