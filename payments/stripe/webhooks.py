"""Receivers of the events that dj-stripe has stored. Of each event only the ids are used."""

from typing import Any

from djstripe import models as tables

from payments import mails
from payments.models import Subscription
from payments.stripe.customer_lock import lock_customer
from payments.stripe.sync import sync_subscription


def customer_of(event: dict[str, Any]) -> str | None:
    about = event["data"]["object"]
    if about["object"] == "customer":
        return about.get("id")
    # A detached card belongs to no customer any more: only what it was before says whose it is.
    before = event["data"].get("previous_attributes") or {}
    return _id_of(about.get("customer")) or _id_of(before.get("customer"))


def subscription_of(event: dict[str, Any]) -> str | None:
    """The subscription that an event about it, or about its Checkout page, has to do with."""
    about = event["data"]["object"]
    if about["object"] == "subscription":
        return about["id"]
    return _id_of(about.get("subscription")) if about["object"] == "checkout.session" else None


def _id_of(named: Any) -> str | None:
    return named.get("id") if isinstance(named, dict) else named


# What dj-stripe calls, in the transaction in which it keeps the event


def lock_event_customer(instance: tables.WebhookEventTrigger, **kwargs: object) -> None:
    """Receiver for webhook_pre_process: before dj-stripe fetches anything."""
    if customer := customer_of(instance.json_body):
        lock_customer(customer)


def handle_event(event: tables.Event, **kwargs: object) -> None:
    """Receiver for every kind of event about subscriptions, after dj-stripe's own: called once for each event."""
    said = {"data": event.data}
    subscription, customer = subscription_of(said), customer_of(said)
    if not (subscription and customer):
        return
    row = sync_subscription(subscription, customer=customer)
    if row and event.type == "customer.subscription.trial_will_end":
        warn_of_trial_end(row)


def warn_of_trial_end(subscription: Subscription) -> None:
    if subscription.is_entitling:
        mails.trial_ends.enqueue(str(subscription.pk))


# After these our row may say something else. Invoices need none: what they change of a subscription is told beside.
FOLLOWED = [
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
]
# What dj-stripe keeps its tables by, ours among them; more may be sent, and is kept.
NEEDED = [
    *FOLLOWED,
    "customer.updated",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.detached",
]
