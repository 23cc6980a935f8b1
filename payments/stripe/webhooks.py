"""Stripe's events: checked here, kept and deduplicated by dj-stripe, and of each we take the ids alone."""

import json
import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from djstripe import models as tables
from rest_framework.exceptions import ValidationError

from payments import mails
from payments.errors import ObjectNotFound
from payments.models import BillingAccount, ClosedCustomer, Subscription
from payments.stripe import gateway as stripe_gateway
from payments.stripe.customer_lock import lock_customer
from payments.stripe.gateway import calls_stripe
from payments.stripe.store import own_endpoint
from payments.stripe.sync import sync_subscription

logger = logging.getLogger(__name__)

# With DEBUG on dj-stripe would believe the sender's own secret that comes in this header.
SECRET_OF_SENDER = "X-Djstripe-Webhook-Secret"  # noqa: S105


def receive(request: HttpRequest) -> None:
    """One delivery. ValidationError where it does not come from Stripe; anything else that is raised makes Stripe
    deliver it again, and then nothing of this delivery has stayed."""
    event = _is_trusted(request)
    customer = customer_of(event)
    if customer and ClosedCustomer.objects.of(customer).exists():
        return _is_for_deleted_customer(event, customer)
    if customer and not BillingAccount.objects.filter(stripe_customer_id=customer).exists():
        # The Stripe account serves other products too. Fetching what is not ours may fail for ever.
        return logger.info("%s is about a customer that is not ours: ignored.", event["id"])
    try:
        _process_with_dj_stripe(request)
    except ObjectNotFound:
        # Deleted at Stripe before the event came. Another delivery would find no more.
        logger.info("%s is about something that Stripe has no longer: not kept.", event["id"])
        if customer and (subscription := subscription_of(event)):
            sync_subscription(subscription, customer=customer)


@calls_stripe
def _process_with_dj_stripe(request: HttpRequest) -> None:
    with transaction.atomic():
        tables.WebhookEventTrigger.from_request(request, webhook_endpoint=own_endpoint())


def _is_trusted(request: HttpRequest) -> dict[str, Any]:
    signature = request.headers.get("Stripe-Signature", "")
    is_signed = stripe_gateway.is_signed_by_stripe(request.body, signature, settings.STRIPE_WEBHOOK_SECRET)
    if SECRET_OF_SENDER in request.headers or not is_signed:
        raise ValidationError("This was not signed by Stripe, or too long ago.", "invalid_signature")
    try:
        event = json.loads(request.body)
        event["id"], event["type"], event["livemode"], event["data"]["object"]["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError("This is no event of Stripe's.", "invalid_event") from error
    return event


def _is_for_deleted_customer(event: dict[str, Any], customer: str) -> None:
    """Nothing is kept; what still runs at Stripe is ended."""
    logger.info("%s is about a closed account.", event["id"])
    if subscription := subscription_of(event):
        sync_subscription(subscription, customer=customer)


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
