from hashlib import sha256
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.db.base_model import UUIDModel
from payments.models.plans import SubscriptionPlan
from users.models import User


class BillingAccount(models.Model):
    """A user's customer at Stripe, and whether the free trial was used. It outlives every subscription."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="billing_account")
    stripe_customer_id = models.CharField(max_length=255, unique=True, null=True, editable=False)
    # How many earlier customers of this user were deleted at Stripe. Part of the idempotency key for the next one.
    former_customers = models.PositiveSmallIntegerField(default=0, editable=False)
    trial_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.user)


class ClosedCustomerQuerySet(models.QuerySet):
    def of(self, stripe_customer_id: str) -> Self:
        return self.filter(customer_digest=digest_of(stripe_customer_id))


def digest_of(stripe_customer_id: str) -> str:
    return sha256(stripe_customer_id.encode()).hexdigest()


class ClosedCustomer(models.Model):
    """A Stripe customer whose account was deleted here. Events that still arrive about it are not stored."""

    # A digest: enough to recognise the customer in an event, and no way back to them.
    customer_digest = models.CharField(max_length=255, unique=True, db_column="stripe_customer_id")
    closed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, help_text="When Stripe was rid of them too.")

    objects = ClosedCustomerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.customer_digest


class Status(models.TextChoices):
    """Stripe's names."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    UNPAID = "unpaid"
    PAUSED = "paused"


# past_due entitles too: Stripe is retrying the card (dunning, set there), and ends with unpaid or canceled.
ENTITLING = [Status.TRIALING, Status.ACTIVE, Status.PAST_DUE]
ENDED = [Status.CANCELED, Status.INCOMPLETE_EXPIRED]


class SubscriptionQuerySet(models.QuerySet):
    def open(self) -> Self:
        """Filter for subscriptions that have not ended, at most one a user. Not all of them entitle (`entitling`)."""
        return self.filter(is_extra=False).exclude(status__in=ENDED)

    def entitling(self) -> Self:
        return self.filter(is_extra=False, status__in=ENTITLING)


class Subscription(UUIDModel):
    """A subscription at Stripe. Only `stripe.sync.sync_subscription` writes these rows."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.ForeignKey(SubscriptionPlan, on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=20, choices=Status)
    started_at = models.DateTimeField()
    current_period_end = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)
    trial_end = models.DateTimeField(null=True)
    is_extra = models.BooleanField(
        "second one",
        default=False,
        help_text="The person had another one already (two Checkout pages, for example), so this one is cancelled.",
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(is_extra=False) & ~Q(status__in=ENDED),
                name="one_open_subscription_per_person",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="subscription_status_is_known"),
        ]
        indexes = [models.Index(fields=["user", "status"], name="subscriptions_of_user")]

    def __str__(self) -> str:
        return f"{self.user}: {self.plan} ({self.status})"

    @property
    def is_open(self) -> bool:
        return not self.is_extra and self.status not in ENDED

    @property
    def is_entitling(self) -> bool:
        return not self.is_extra and self.status in ENTITLING


class PaymentRequest(UUIDModel):
    """A payment request, stored before Stripe is called. Sent again, it gets the same answer, or is resumed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="payment_requests")
    key = models.CharField(max_length=255, help_text="The client's Idempotency-Key, or one of our own.")
    asked = models.JSONField()
    # Set while it runs. After this time its process must have died.
    running_until = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_payment_request_per_user_and_key")]

    def __str__(self) -> str:
        return self.key
