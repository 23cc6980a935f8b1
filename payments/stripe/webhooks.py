"""Receivers of Stripe's events. Only the ids in an event are used: the objects are fetched from Stripe anew."""

from typing import Any

from djstripe import models as tables

from payments import mails
from payments.stripe.customer_lock import lock_customer
from payments.stripe.sync import sync_subscription

# Events that may change our row. None about invoices: what they change of a subscription has an event of its own.
FOLLOWED_EVENTS = [
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
# Events that an endpoint at Stripe has to send: ours, and those by which dj-stripe updates its tables.
REQUIRED_EVENTS = [
    *FOLLOWED_EVENTS,
    "customer.updated",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.detached",
]


def customer_of(event: dict[str, Any]) -> str | None:
    """Return the id of the customer that the event is about, or None."""
    subject = event["data"]["object"]
    if subject["object"] == "customer":
        return subject.get("id")
    # A detached card has no customer any more: only the attributes before the change name it.
    before = event["data"].get("previous_attributes") or {}
    return _id_of(subject.get("customer")) or _id_of(before.get("customer"))


def subscription_of(event: dict[str, Any]) -> str | None:
    """Return the id of the subscription that the event, or its Checkout session, is about, or None."""
    subject = event["data"]["object"]
    if subject["object"] == "subscription":
        return subject["id"]
    return _id_of(subject.get("subscription")) if subject["object"] == "checkout.session" else None


def _id_of(reference: Any) -> str | None:
    """Return the id of a reference, which Stripe sends as an id or expanded to the whole object."""
    return reference.get("id") if isinstance(reference, dict) else reference


# dj-stripe calls these receivers in the transaction in which it stores the event.


def lock_event_customer(instance: tables.WebhookEventTrigger, **kwargs: object) -> None:
    """Receiver for webhook_pre_process: lock the customer before dj-stripe fetches its objects."""
    if customer := customer_of(instance.json_body):
        lock_customer(customer)


def handle_event(event: tables.Event, **kwargs: object) -> None:
    """Receiver for FOLLOWED_EVENTS, after dj-stripe's own and once an event: sync the subscription it is about."""
    content = {"data": event.data}
    subscription, customer = subscription_of(content), customer_of(content)
    if not (subscription and customer):
        return
    row = sync_subscription(subscription, customer=customer)
    if row and row.is_entitling and event.type == "customer.subscription.trial_will_end":
        mails.trial_ends.enqueue(str(row.pk))
