"""Prices that subscribers of a plan pay now. A price at Stripe can't change, so earlier subscribers pay old ones."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from djstripe import models as stripe_tables

from payments.models import Status, Subscription, SubscriptionPlan
from payments.stripe.gateway import ZERO_DECIMAL_CURRENCIES

# Path to the price in the subscription's JSON.
PRICE = "stripe_data__items__data__0__price"


@dataclass(frozen=True)
class Payers:
    """The subscribers who pay one price, and the range of their next payments."""

    terms: str
    people: int
    in_trial: int
    ending: int
    first_payment: datetime | None
    last_payment: datetime | None

    @property
    def text(self) -> str:
        parts = [f"{self.people} pay {self.terms}" if self.people > 1 else f"1 pays {self.terms}"]
        if self.in_trial:
            parts.append(f"{self.in_trial} of them in the free trial")
        if self.ending:
            parts.append(f"{self.ending} cancelled, until the period ends")
        return ", ".join(parts)


def payers_of(plan: SubscriptionPlan) -> list[Payers]:
    """Return the plan's subscribers grouped by the price they pay, the largest group first."""
    at_stripe = stripe_tables.Subscription.objects.filter(id=OuterRef("stripe_id"))

    def price(name: str) -> Subquery:
        return Subquery(at_stripe.annotate(value=KT(f"{PRICE}__{name}")).values("value")[:1])

    groups = (
        Subscription.objects.entitling()
        .filter(plan=plan)
        .annotate(
            amount=price("unit_amount"),
            currency=price("currency"),
            interval=price("recurring__interval"),
        )
        .values("amount", "currency", "interval")
        .annotate(
            people=Count("pk"),
            in_trial=Count("pk", filter=Q(status=Status.TRIALING)),
            ending=Count("pk", filter=Q(cancel_at_period_end=True)),
            first_payment=Min("current_period_end", filter=Q(cancel_at_period_end=False)),
            last_payment=Max("current_period_end", filter=Q(cancel_at_period_end=False)),
        )
        .order_by("-people", "amount")
    )
    return [
        Payers(
            terms=_terms(group["amount"], group["currency"], group["interval"]),
            people=group["people"],
            in_trial=group["in_trial"],
            ending=group["ending"],
            first_payment=group["first_payment"],
            last_payment=group["last_payment"],
        )
        for group in groups
    ]


def _terms(amount: Any, currency: str | None, interval: str | None) -> str:
    if amount is None or currency is None:
        return "the price at the time when they subscribed"
    currency = currency.upper()
    price = Decimal(amount) if currency in ZERO_DECIMAL_CURRENCIES.split() else Decimal(amount) / 100
    return f"{price:.2f} {currency} a {interval or 'period'}"
