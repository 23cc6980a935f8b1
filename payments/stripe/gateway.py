"""Gateway to Stripe, the only module that imports `stripe`. It returns plain values and raises errors of the domain."""

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

# All in seconds.
CALL_TIMEOUT = 6.0
CONNECT_TIMEOUT = 3.0
SIGNATURE_TOLERANCE = 300
ZERO_DECIMAL_CURRENCIES = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"

# Error codes that mean: the cardholder has to confirm the payment. Which one comes depends on the call and the card.
ACTION_REQUIRED = {
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "payment_intent_action_required",
    "subscription_payment_intent_requires_action",
}

_deadline: ContextVar[float | None] = ContextVar("stripe_deadline", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the time that all calls to Stripe inside the block take together, in seconds."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


class DeadlineClient(stripe.RequestsClient):
    """HTTP client of the stripe library whose timeouts shrink with the time that `time_limit` leaves."""

    @property
    def _timeout(self) -> tuple[float, float]:
        deadline = _deadline.get()
        left = CALL_TIMEOUT if deadline is None else min(deadline - time.monotonic(), CALL_TIMEOUT)
        if left <= 0.1:
            raise stripe.APIConnectionError("The time limit for calls to Stripe is used up.")
        connecting = min(CONNECT_TIMEOUT, left / 2)
        return connecting, left - connecting

    # The base class sets a fixed timeout.
    @_timeout.setter
    def _timeout(self, value: object) -> None:
        pass


stripe.default_http_client = DeadlineClient()
# The client may repeat its request. Retries in here would take longer than an answer may.
stripe.max_network_retries = 0
DEFAULT_API_BASE = stripe.api_base


def is_configured() -> bool:
    return bool(api_key())


def check_configured() -> None:
    if not is_configured():
        raise PaymentsUnavailable


def api_key() -> str:
    return settings.STRIPE_LIVE_SECRET_KEY if settings.STRIPE_LIVE_MODE else settings.STRIPE_TEST_SECRET_KEY


def calls_stripe(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that calls Stripe: configure the library from the settings, and translate its errors."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        check_configured()
        stripe.api_base = settings.STRIPE_API_BASE or DEFAULT_API_BASE
        stripe.api_key = api_key()
        stripe.api_version = settings.STRIPE_API_VERSION
        try:
            return function(*args, **kwargs)
        except stripe.CardError as error:
            raise card_declined(error.user_message or "") from error
        except stripe.InvalidRequestError as error:
            raise _translate(error) from error
        except stripe.StripeError as error:
            logger.warning("Stripe: %s", error)
            raise PaymentsFailed from error

    return called


def _translate(error: stripe.InvalidRequestError) -> Exception:
    """Return the domain's error for what Stripe refused, by `code` and `param`: the messages change."""
    if error.code != "resource_missing":
        logger.error("Stripe refused: %s", error)
        return PaymentsFailed()
    if error.param == "customer":
        return CustomerNotFound()
    if "price" in (error.param or ""):
        return PriceNotFound()
    logger.warning("Stripe: %s", error)
    return ObjectNotFound()


def _idempotency_key(scope: str, **params: Any) -> dict[str, Any]:
    """Return an idempotency key made of the scope and the parameters, as a keyword argument of the stripe library.

    Stripe refuses a key that comes again with other parameters, so they are a part of it.
    """
    return {"idempotency_key": f"{scope}-{sha256(repr(sorted(params.items())).encode()).hexdigest()[:32]}"}


# Customers and cards


@calls_stripe
def create_customer(*, user_id: str, email: str, scope: str) -> str:
    params = {"email": email, "metadata": {"djstripe_subscriber": user_id}}
    return stripe.Customer.create(**params, **_idempotency_key(scope, **params)).id  # type: ignore[arg-type]


@calls_stripe
def set_customer_email(customer: str, email: str) -> None:
    try:
        stripe.Customer.modify(customer, email=email)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":  # the customer was deleted at Stripe
            raise


@calls_stripe
def has_card(customer: str, payment_method: str) -> bool:
    """Return whether the card is attached to this customer."""
    try:
        stripe.Customer.retrieve_payment_method(customer, payment_method)
    except stripe.InvalidRequestError:
        return False
    return True


@calls_stripe
def attach_card(payment_method: str, *, customer: str, scope: str) -> str:
    """Attach a card to the customer and return its id, which is another one for Stripe's test cards (pm_card_visa).

    Raise ValidationError for whatever Stripe refuses to attach: an unknown card, another customer's, a detached one.
    """
    key = _idempotency_key(scope, payment_method=payment_method, customer=customer)
    try:
        return stripe.PaymentMethod.attach(payment_method, customer=customer, **key).id
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing" and error.param == "customer":
            raise
        # Stripe has a code for the unknown card only. That attaching failed is reason enough for the others.
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
    """Delete the customer, which also cancels its subscriptions. A customer that is gone already is no error."""
    try:
        stripe.Customer.delete(customer)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise


# Subscriptions


class SubscriptionResult(NamedTuple):
    stripe_id: str
    # For Stripe.js to continue with, if the cardholder has to confirm the payment.
    client_secret: str | None


@calls_stripe
def create_subscription(
    *, customer: str, price: str, card: str | None, trial_days: int, scope: str
) -> SubscriptionResult:
    """Create a subscription that is paid at once, or that waits for the cardholder's confirmation.

    `trial_days` is 0 for no trial. Raise ValidationError if the card is missing, unusable or declined; then nothing
    is created.
    """
    params: dict[str, Any] = {
        "customer": customer,
        "items": [{"price": price}],
        "metadata": {"attempt": scope},
    }
    if card:
        params["default_payment_method"] = card
    if trial_days:
        params |= _trial(trial_days)
    return _pay_or_wait(lambda: stripe.Subscription.create(**params, **_idempotency_key(scope, **params)), params)


def _trial(days: int) -> dict[str, Any]:
    return {
        "trial_period_days": days,
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }


def _pay_or_wait(send: Callable[[], stripe.Subscription], params: dict[str, Any]) -> SubscriptionResult:
    """Send a request that changes nothing if the payment fails.

    If only the cardholder's confirmation is missing, send it again so that the subscription waits for that.
    """
    params["expand"] = ["latest_invoice.confirmation_secret", "pending_setup_intent"]
    params["payment_behavior"] = "error_if_incomplete"
    try:
        return _result(send())
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        if error.code not in ACTION_REQUIRED:
            _raise_for_card(error)
            raise
    params["payment_behavior"] = "allow_incomplete"
    return _result(send(), is_waiting=True)


def _raise_for_card(error: stripe.CardError | stripe.InvalidRequestError) -> None:
    """Raise ValidationError if the error says that a card is missing or unusable; else return."""
    if isinstance(error, stripe.CardError):
        return
    is_missing, param = error.code == "resource_missing", error.param or ""
    if is_missing and not param:
        raise payment_method_required() from error
    if (is_missing and "payment_method" in param) or (error.code or "").startswith("payment_method_"):
        raise unusable_payment_method() from error


def _result(subscription: stripe.Subscription, *, is_waiting: bool = False) -> SubscriptionResult:
    data = subscription.to_dict()
    invoice, setup = data.get("latest_invoice"), data.get("pending_setup_intent")
    secret = None
    if is_waiting and isinstance(invoice, dict) and invoice.get("status") == "open":
        secret = (invoice.get("confirmation_secret") or {}).get("client_secret")
    elif isinstance(setup, dict):
        secret = setup["client_secret"]
    return SubscriptionResult(subscription.id, secret)


@calls_stripe
def change_price(stripe_id: str, *, price: str, card: str | None, scope: str) -> SubscriptionResult:
    """Move the subscription to another price, for the rest of the period prorated on the next invoice.

    Raise SubscriptionNotFound if it has ended at Stripe, and ValidationError as `create_subscription` does.
    """
    with _subscription_must_exist(stripe_id):
        current = stripe.Subscription.retrieve(stripe_id)
    if current.status in ("canceled", "incomplete_expired"):  # its event has not arrived yet
        raise SubscriptionNotFound(stripe_id)
    item = current["items"]["data"][0]
    params: dict[str, Any] = {
        "items": [{"id": item["id"], "price": price}],
        "proration_behavior": "create_prorations",
        "cancel_at_period_end": False,
    }
    if card:
        params["default_payment_method"] = card
    return _pay_or_wait(
        lambda: stripe.Subscription.modify(stripe_id, **params, **_idempotency_key(scope, id=stripe_id, **params)),
        params,
    )


@calls_stripe
def set_cancel_at_period_end(stripe_id: str, ends: bool) -> None:
    with _subscription_must_exist(stripe_id):
        stripe.Subscription.modify(stripe_id, cancel_at_period_end=ends)


@calls_stripe
def cancel_now(stripe_id: str, *, gives_credit: bool = False) -> None:
    """Cancel at once. With `gives_credit`, what was paid for the rest of the period becomes the customer's credit."""
    try:
        stripe.Subscription.cancel(stripe_id, invoice_now=gives_credit, prorate=gives_credit)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":  # it has ended already
            raise


@calls_stripe
def fetch_subscription(stripe_id: str) -> stripe.Subscription:
    with _subscription_must_exist(stripe_id):
        return stripe.Subscription.retrieve(stripe_id)


@contextmanager
def _subscription_must_exist(stripe_id: str) -> Iterator[None]:
    """Raise SubscriptionNotFound if Stripe does not have the subscription that the block is about."""
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
    """Return the ids of all subscriptions that the customer ever had, newest first."""
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
    """Return the amount as Stripe wants it: in cents, or in whole units of a currency that has none."""
    return int(amount if currency in ZERO_DECIMAL_CURRENCIES else amount * 100)


@calls_stripe
def ensure_product(product_id: str, *, name: str, plan_type: str) -> str:
    """Rename the product, or create it if Stripe does not have it. Return its id."""
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
    """Close the price to new subscribers. Present ones go on paying it."""
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
    """Register a webhook endpoint. Return its id and its signing secret, which Stripe shows only this once."""
    endpoint = stripe.WebhookEndpoint.create(
        url=url,
        enabled_events=events,  # type: ignore[arg-type]
        api_version=settings.STRIPE_API_VERSION,  # type: ignore[arg-type]
    )
    return endpoint.id, str(endpoint.secret)
