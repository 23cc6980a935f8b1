"""Errors of payments. Broken rules are ValidationErrors with a code, made by the functions below."""

from django.core.exceptions import ValidationError

from core.errors import Conflict, Unavailable, UpstreamFailed


class PaymentsUnavailable(Unavailable):
    default_code = "payments_unavailable"
    default_detail = "Payments are not set up on this server. Everything else works."


class PaymentsFailed(UpstreamFailed):
    default_code = "payments_failed"
    default_detail = "The payment service can't be reached right now. Nothing was changed; try again in a moment."


class InProgress(Conflict):
    default_code = "in_progress"
    default_detail = "Another payment request of yours is still running. Wait until it ends."


class ObjectNotFound(PaymentsFailed):
    """Stripe does not have the object that a call named."""


class CustomerNotFound(ObjectNotFound):
    """The customer was deleted at Stripe, or the keys are those of another Stripe account now."""


class PriceNotFound(ObjectNotFound):
    """The price was deleted at Stripe, or the keys are those of another Stripe account now."""


class SubscriptionNotFound(ObjectNotFound):
    """Stripe does not have the subscription, or it has ended there."""


def card_declined(reason: str) -> ValidationError:
    return ValidationError(reason or "Your card was declined.", "card_declined")


def unusable_payment_method() -> ValidationError:
    """Return the same error for an unknown card and for another customer's, so that neither is revealed."""
    reason = ValidationError("This payment method is unknown, or can't be used by you.", "invalid")
    return ValidationError({"payment_method": reason})


def payment_method_required() -> ValidationError:
    reason = ValidationError("Your free trial is over, so this needs a payment method.", "required")
    return ValidationError({"payment_method": reason})


def no_subscription() -> ValidationError:
    return ValidationError("You have no subscription.", "no_subscription")


def already_subscribed() -> ValidationError:
    return ValidationError("You already have a subscription.", "already_subscribed")
