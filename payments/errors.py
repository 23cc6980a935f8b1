"""What can go wrong when somebody pays. What is refused by a rule is a ValidationError with its code."""

from django.core.exceptions import ValidationError

from core.errors import Conflict, Unavailable, UpstreamFailed


class PaymentsUnavailable(Unavailable):
    default_code = "payments_unavailable"
    default_detail = "Paying is not set up here. Everything else works."


class PaymentsFailed(UpstreamFailed):
    default_code = "payments_failed"
    default_detail = "The payment service can't be reached right now. Nothing was changed; try again in a moment."


class InProgress(Conflict):
    default_code = "in_progress"
    default_detail = "A request of yours to pay is still running. Wait for it to end."


class ObjectNotFound(PaymentsFailed):
    """Stripe does not have what it was asked about."""


class CustomerNotFound(ObjectNotFound):
    """Somebody deleted the customer at Stripe, or it is another Stripe now."""


class PriceNotFound(ObjectNotFound):
    """Somebody deleted the price at Stripe, or it is another Stripe now."""


class SubscriptionNotFound(ObjectNotFound):
    """Stripe does not know this subscription (any more)."""


def card_declined(reason: str) -> ValidationError:
    return ValidationError(reason or "Your card was declined.", "card_declined")


def unusable_payment_method() -> ValidationError:
    """Say the same of an unknown card and of another customer's: neither tells whether it exists."""
    reason = ValidationError("This payment method is unknown, or can't be used by you.", "invalid")
    return ValidationError({"payment_method": reason})


def payment_method_required() -> ValidationError:
    reason = ValidationError("Your free trial is over, so this needs a payment method.", "required")
    return ValidationError({"payment_method": reason})


def no_subscription() -> ValidationError:
    return ValidationError("You have no subscription.", "no_subscription")


def already_subscribed() -> ValidationError:
    return ValidationError("You have a subscription already.", "already_subscribed")
