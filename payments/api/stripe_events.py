"""Delivery of Stripe's events over HTTP: check the signature, then let dj-stripe store and process the event once."""

import json
import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from djstripe import models as tables

from payments.errors import ObjectNotFound
from payments.models import BillingAccount, ClosedCustomer
from payments.stripe import gateway as stripe_gateway
from payments.stripe.gateway import calls_stripe
from payments.stripe.store import own_endpoint
from payments.stripe.sync import sync_subscription
from payments.stripe.webhooks import customer_of, subscription_of

logger = logging.getLogger(__name__)

# With DEBUG on dj-stripe would believe the sender's own secret that comes in this header.
SECRET_OF_SENDER = "X-Djstripe-Webhook-Secret"  # noqa: S105


def receive_event(request: HttpRequest) -> None:
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
