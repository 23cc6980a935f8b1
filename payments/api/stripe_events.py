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

# With this header a sender names its own signing secret, which dj-stripe accepts if DEBUG is on.
SENDERS_SECRET_HEADER = "X-Djstripe-Webhook-Secret"  # noqa: S105


def receive_event(request: HttpRequest) -> None:
    """Process one delivery of an event. Raise ValidationError if it is not signed by Stripe.

    On any other error the transaction is rolled back, and the error status makes Stripe deliver the event again.
    """
    event = _verified_event(request)
    customer, subscription = customer_of(event), subscription_of(event)
    if customer and ClosedCustomer.objects.of(customer).exists():
        # Nothing is stored about a deleted account; the sync cancels what still runs at Stripe.
        logger.info("%s is about the customer of a deleted account: not stored.", event["id"])
        if subscription:
            sync_subscription(subscription, customer=customer)
        return
    if customer and not BillingAccount.objects.filter(stripe_customer_id=customer).exists():
        # The Stripe account may serve other products too, whose objects we may fail to fetch for ever.
        logger.info("%s is about a customer that is not ours: ignored.", event["id"])
        return
    try:
        _process_with_dj_stripe(request)
    except ObjectNotFound:
        # The object was deleted at Stripe before the event came. Another delivery would not find it either.
        logger.info("%s is about an object that Stripe does not have any more: not stored.", event["id"])
        if customer and subscription:
            sync_subscription(subscription, customer=customer)


@calls_stripe
def _process_with_dj_stripe(request: HttpRequest) -> None:
    with transaction.atomic():
        tables.WebhookEventTrigger.from_request(request, webhook_endpoint=own_endpoint())


def _verified_event(request: HttpRequest) -> dict[str, Any]:
    signature = request.headers.get("Stripe-Signature", "")
    is_signed = stripe_gateway.is_signed_by_stripe(request.body, signature, settings.STRIPE_WEBHOOK_SECRET)
    if SENDERS_SECRET_HEADER in request.headers or not is_signed:
        raise ValidationError("This was not signed by Stripe, or its signature is too old.", "invalid_signature")
    try:
        event = json.loads(request.body)
        event["id"], event["type"], event["livemode"], event["data"]["object"]["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError("This is not an event of Stripe.", "invalid_event") from error
    return event
