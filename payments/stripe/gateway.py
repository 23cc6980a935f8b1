"""The one door to Stripe: the only module that imports it. Raises the domain's errors and answers plain values."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import wraps
from hashlib import sha256
from typing import Any, NamedTuple, ParamSpec, TypeVar

import stripe
from django.conf import settings

from payments.errors import (
    CustomerNotFound,
    ObjectNotFound,
    PaymentsFailed,
    PaymentsUnavailable,
    PriceNotFound,
    SubscriptionNotFound,
    card_declined,
    payment_method_required,
    unusable_payment_method,
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_CALL = 6.0  # seconds
LONGEST_CONNECTING = 3.0
SIGNATURE_TOLERANCE = 300
ZERO_DECIMAL_CURRENCIES = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"

# With each of these Stripe says that a payment waits for the cardholder; which one depends on the call and the card.
ACTION_REQUIRED = {
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "payment_intent_action_required",
    "subscription_payment_intent_requires_action",
}

_deadline: ContextVar[float | None] = ContextVar("stripe_deadline", default=None)


@contextmanager
def answering_within(seconds: float) -> Iterator[None]:
    """All calls to Stripe inside together take no longer."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


class PunctualClient(stripe.RequestsClient):
    """Gives each call what is left of the time, for connecting and for each wait for bytes."""

    @property
    def _timeout(self) -> tuple[float, float]:
        deadline = _deadline.get()
        left = LONGEST_CALL if deadline is None else min(deadline - time.monotonic(), LONGEST_CALL)
        if left <= 0.1:
            raise stripe.APIConnectionError("No time is left for this call.")
        connecting = min(LONGEST_CONNECTING, left / 2)
        return connecting, left - connecting

    @_timeout.setter
    def _timeout(self, value: object) -> None:
        pass


stripe.default_http_client = PunctualClient()
# Who asks may ask again; waiting for a second try here would cost more time than there is.
stripe.max_network_retries = 0
STRIPE_ITSELF = stripe.api_base


def is_configured() -> bool:
    return bool(api_key())


def check_configured() -> None:
    if not is_configured():
        raise PaymentsUnavailable


def api_key() -> str:
    return settings.STRIPE_LIVE_SECRET_KEY if settings.STRIPE_LIVE_MODE else settings.STRIPE_TEST_SECRET_KEY


def calls_stripe(function: Callable[P, R]) -> Callable[P, R]:
    """Sets the library up as the settings are now, and turns its errors into ours."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        check_configured()
        stripe.api_base = settings.STRIPE_API_BASE or STRIPE_ITSELF
        stripe.api_key = api_key()
        stripe.api_version = settings.STRIPE_API_VERSION
        try:
            return function(*args, **kwargs)
        except stripe.CardError as error:
            raise card_declined(error.user_message or "") from error
        except stripe.InvalidRequestError as error:
            raise _as_refusal(error) from error
        except stripe.StripeError as error:
            logger.warning("Stripe: %s", error)
            raise PaymentsFailed from error

    return called


def _as_refusal(error: stripe.InvalidRequestError) -> Exception:
    """Tell by Stripe's code and parameter; its messages are for people, and change."""
    if error.code != "resource_missing":
        logger.error("Stripe refused: %s", error)
        return PaymentsFailed()
    if error.param == "customer":
        return CustomerNotFound()
    if "price" in (error.param or ""):
        return PriceNotFound()
    logger.warning("Stripe: %s", error)
    return ObjectNotFound()


def _key(scope: str, **params: Any) -> dict[str, Any]:
    """The same request with the same parameters gets the same answer, however often it is sent."""
    return {"idempotency_key": f"{scope}-{sha256(repr(sorted(params.items())).encode()).hexdigest()[:32]}"}


# Customers and cards


@calls_stripe
def create_customer(*, user_id: str, email: str, scope: str) -> str:
    params = {"email": email, "metadata": {"djstripe_subscriber": user_id}}
    return stripe.Customer.create(**params, **_key(scope, **params)).id  # type: ignore[arg-type]


@calls_stripe
def set_customer_email(customer: str, email: str) -> None:
    try:
        stripe.Customer.modify(customer, email=email)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":  # somebody deleted the customer there
            raise


@calls_stripe
def has_card(customer: str, payment_method: str) -> bool:
    """Return whether the card is attached to this very customer."""
    try:
        stripe.Customer.retrieve_payment_method(customer, payment_method)
    except stripe.InvalidRequestError:
        return False
    return True


@calls_stripe
def attach_card(payment_method: str, *, customer: str, scope: str) -> str:
    """Return its id from now on: Stripe's test cards are recipes that get an id here.

    Raises ValidationError for whatever Stripe refuses to attach: an unknown card, another customer's, one that was
    detached. Of these Stripe gives a code to the first only; that attaching failed says enough.
    """
    key = _key(scope, payment_method=payment_method, customer=customer)
    try:
        return stripe.PaymentMethod.attach(payment_method, customer=customer, **key).id
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing" and error.param == "customer":
            raise
        raise unusable_payment_method() from error


@calls_stripe
def detach_card(payment_method: str) -> None:
    stripe.PaymentMethod.detach(payment_method)


@calls_stripe
def newest_card_of(customer: str) -> str | None:
    cards = stripe.Customer.list_payment_methods(customer, limit=1).data
    return cards[0].id if cards else None


@calls_stripe
def delete_customer(customer: str) -> None:
    """Stripe cancels what the customer has subscribed to."""
    try:
        stripe.Customer.delete(customer)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise


# Subscriptions


class Made(NamedTuple):
    stripe_id: str
    # Where the card asks its owner something: what the client needs to ask it.
    client_secret: str | None


@calls_stripe
def create_subscription(*, customer: str, price: str, card: str | None, trial_days: int, scope: str) -> Made:
    """Paid at once, or not made at all; only where the card's owner is asked something it waits for the answer."""
    params: dict[str, Any] = {
        "customer": customer,
        "items": [{"price": price}],
        "metadata": {"attempt": scope},
    }
    if card:
        params["default_payment_method"] = card
    if trial_days:
        params |= _trial(trial_days)
    return _paid_or_waiting(lambda: stripe.Subscription.create(**params, **_key(scope, **params)), params)


def _trial(days: int) -> dict[str, Any]:
    return {
        "trial_period_days": days,
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }


def _paid_or_waiting(send: Callable[[], stripe.Subscription], params: dict[str, Any]) -> Made:
    """Send the request so that what can't be paid changes nothing; where only the cardholder's confirmation is
    missing, send it again so that the payment waits for that."""
    params["expand"] = ["latest_invoice.confirmation_secret", "pending_setup_intent"]
    params["payment_behavior"] = "error_if_incomplete"
    try:
        return _made(send())
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        if error.code not in ACTION_REQUIRED:
            _refuse_card(error)
            raise
    params["payment_behavior"] = "allow_incomplete"
    return _made(send(), is_waiting=True)


def _refuse_card(error: stripe.CardError | stripe.InvalidRequestError) -> None:
    """Raise ValidationError where the code of a refused request says that the reason is a card, missing or unfit."""
    if isinstance(error, stripe.CardError):
        return
    is_missing, param = error.code == "resource_missing", error.param or ""
    if is_missing and not param:
        raise payment_method_required() from error
    if (is_missing and "payment_method" in param) or (error.code or "").startswith("payment_method_"):
        raise unusable_payment_method() from error


def _made(subscription: stripe.Subscription, *, is_waiting: bool = False) -> Made:
    said = subscription.to_dict()
    invoice, setup = said.get("latest_invoice"), said.get("pending_setup_intent")
    secret = None
    if is_waiting and isinstance(invoice, dict) and invoice.get("status") == "open":
        secret = (invoice.get("confirmation_secret") or {}).get("client_secret")
    elif isinstance(setup, dict):
        secret = setup["client_secret"]
    return Made(subscription.id, secret)


@calls_stripe
def change_price(stripe_id: str, *, price: str, card: str | None, scope: str) -> Made:
    """What is left of the old plan is given back on the next invoice, and the new one is charged for that time."""
    with _known(stripe_id):
        current = stripe.Subscription.retrieve(stripe_id)
    if current.status in ("canceled", "incomplete_expired"):  # we have not heard of it yet
        raise SubscriptionNotFound(stripe_id)
    item = current["items"]["data"][0]
    params: dict[str, Any] = {
        "items": [{"id": item["id"], "price": price}],
        "proration_behavior": "create_prorations",
        "cancel_at_period_end": False,
    }
    if card:
        params["default_payment_method"] = card
    return _paid_or_waiting(
        lambda: stripe.Subscription.modify(stripe_id, **params, **_key(scope, id=stripe_id, **params)), params
    )


@calls_stripe
def set_cancel_at_period_end(stripe_id: str, ends: bool) -> None:
    with _known(stripe_id):
        stripe.Subscription.modify(stripe_id, cancel_at_period_end=ends)


@calls_stripe
def cancel_now(stripe_id: str, *, gives_back: bool = False) -> None:
    """With `gives_back` what was paid for the rest of the period becomes credit."""
    try:
        stripe.Subscription.cancel(stripe_id, invoice_now=gives_back, prorate=gives_back)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":  # it has ended already
            raise


@calls_stripe
def fetch_subscription(stripe_id: str) -> stripe.Subscription:
    with _known(stripe_id):
        return stripe.Subscription.retrieve(stripe_id)


@contextmanager
def _known(stripe_id: str) -> Iterator[None]:
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            raise SubscriptionNotFound(stripe_id) from error
        raise


@calls_stripe
def fetch_invoice(stripe_id: str) -> stripe.Invoice:
    return stripe.Invoice.retrieve(stripe_id)


@calls_stripe
def subscriptions_of(customer: str) -> list[str]:
    """The ids of all that the customer ever had, newest first."""
    try:
        found = stripe.Subscription.list(customer=customer, status="all", limit=100)
        return [subscription.id for subscription in found.auto_paging_iter()]
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return []
        raise


# Stripe's own pages


@calls_stripe
def open_checkout(*, customer: str, price: str, trial_days: int, success_url: str, cancel_url: str) -> str:
    session = stripe.checkout.Session.create(
        mode="subscription",
        customer=customer,
        line_items=[{"price": price, "quantity": 1}],
        subscription_data=_trial(trial_days) if trial_days else {},  # type: ignore[arg-type]
        success_url=success_url,
        cancel_url=cancel_url,
    )
    return str(session.url)


@calls_stripe
def open_portal(*, customer: str, return_url: str) -> str:
    return stripe.billing_portal.Session.create(customer=customer, return_url=return_url).url


# Products and prices


def minor_units(amount: Decimal, currency: str) -> int:
    return int(amount if currency in ZERO_DECIMAL_CURRENCIES else amount * 100)


@calls_stripe
def ensure_product(product_id: str, *, name: str, plan_type: str) -> str:
    """The product with this name: renamed where Stripe has it, made where it does not."""
    metadata = {"plan_type": plan_type}
    if product_id:
        try:
            return stripe.Product.modify(product_id, name=name, metadata=metadata).id
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
    return stripe.Product.create(name=name, metadata=metadata).id


@calls_stripe
def has_price(price_id: str) -> bool:
    try:
        return bool(price_id) and stripe.Price.retrieve(price_id).active
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return False
        raise


@calls_stripe
def create_price(*, product: str, amount: Decimal, currency: str, interval: Any) -> str:
    price = stripe.Price.create(
        product=product,
        unit_amount=minor_units(amount, currency),
        currency=currency.lower(),
        recurring={"interval": interval},
    )
    return price.id


@calls_stripe
def retire_price(price_id: str) -> None:
    """Whoever pays it goes on paying it; nobody else can choose it."""
    try:
        stripe.Price.modify(price_id, active=False)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise


# Webhooks


def is_signed_by_stripe(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(secret) and stripe.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError):
        return False


@calls_stripe
def register_webhook(url: str, events: list[str]) -> tuple[str, str]:
    """The id of a new endpoint at Stripe, and its signing secret, which Stripe tells this once."""
    endpoint = stripe.WebhookEndpoint.create(
        url=url,
        enabled_events=events,  # type: ignore[arg-type]
        api_version=settings.STRIPE_API_VERSION,  # type: ignore[arg-type]
    )
    return endpoint.id, str(endpoint.secret)
