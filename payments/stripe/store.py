"""dj-stripe's tables, which hold Stripe's objects as last fetched. Our rows refer to them by Stripe's ids only."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from djstripe import models as tables

from payments.stripe import gateway as stripe_gateway
from payments.stripe.gateway import calls_stripe

# Not deleted by a cascade from the customer's row.
TABLES_WITHOUT_CASCADE = (tables.Charge, tables.PaymentMethod, tables.Session, tables.SetupIntent, tables.Source)
OWN_ENDPOINT = "we_own_endpoint"
OWN_ENDPOINT_PATH = "/api/stripe/webhook"


@calls_stripe
def save_subscription(stripe_id: str) -> dict[str, Any]:
    """Fetch a subscription, store it with its newest invoice, and return it as Stripe sent it."""
    fetched = stripe_gateway.fetch_subscription(stripe_id)
    saved = tables.Subscription.sync_from_stripe_data(fetched, api_key=stripe_gateway.api_key())
    if invoice := saved.stripe_data.get("latest_invoice"):
        save_invoice(invoice if isinstance(invoice, str) else invoice["id"])
    return saved.stripe_data


def was_made_by(attempt: str, stripe_id: str) -> bool:
    """Return whether the subscription was created by the payment request with the id `attempt`."""
    return tables.Subscription.objects.filter(id=stripe_id, metadata__attempt=attempt).exists()


@calls_stripe
def save_invoice(stripe_id: str) -> None:
    fetched = stripe_gateway.fetch_invoice(stripe_id)
    tables.Invoice.sync_from_stripe_data(fetched, api_key=stripe_gateway.api_key())


def invoices_of(customer: str | None) -> QuerySet[tables.Invoice]:
    """Return a customer's invoices, none for None. Drafts are left out: their amounts may still change."""
    return tables.Invoice.objects.filter(customer=customer).exclude(stripe_data__status="draft")


def delete_customer_rows(customer: str) -> None:
    """Delete all rows about a customer: events and webhook bodies too."""
    # By text, wherever it is in the event: a detached card names its customer only in `previous_attributes`.
    events = tables.Event.objects.filter(data__icontains=customer)
    tables.WebhookEventTrigger.objects.filter(Q(event__in=events) | Q(body__contains=customer)).delete()
    events.delete()
    for table in TABLES_WITHOUT_CASCADE:
        table.objects.filter(Q(customer=customer) | Q(stripe_data__customer=customer)).delete()
    tables.Customer.objects.filter(id=customer).delete()


def own_endpoint() -> tables.WebhookEndpoint:
    """Return the row by which dj-stripe verifies events, with the secret that the settings have now."""
    endpoint, _ = tables.WebhookEndpoint.objects.update_or_create(
        id=OWN_ENDPOINT,
        defaults={
            "secret": settings.STRIPE_WEBHOOK_SECRET,
            "livemode": settings.STRIPE_LIVE_MODE,
            "enabled_events": ["*"],
            "status": "enabled",
            "url": f"http://localhost{OWN_ENDPOINT_PATH}",
            "api_version": settings.STRIPE_API_VERSION,
        },
    )
    return endpoint
