from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Case, Q, Value, When

from core.db.base_model import UUIDModel
from core.text import NameField
from users.models import AudioQuality


class PlanType(models.TextChoices):
    FREE = "free"
    INDIVIDUAL = "individual"
    DUO = "duo"
    FAMILY = "family"
    STUDENT = "student"


class BillingCycle(models.TextChoices):
    MONTH = "month"
    YEAR = "year"


class SubscriptionPlanQuerySet(models.QuerySet):
    def offered(self) -> Self:
        return self.filter(is_active=True)

    def paid_for(self) -> Self:
        return self.exclude(plan_type=PlanType.FREE)

    def free_last(self) -> Self:
        return self.order_by(Case(When(plan_type=PlanType.FREE, then=Value(1)), default=Value(0)))


class SubscriptionPlan(UUIDModel):
    """A plan: its price, trial, seats and features. Edited in the admin; `sync_plans` sends its price to Stripe."""

    plan_type = models.CharField(max_length=20, choices=PlanType, unique=True)
    name = NameField(max_length=100)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(0))])
    currency = models.CharField(
        max_length=3, default="USD", validators=[RegexValidator("^[A-Z]{3}$", "Three capital letters, as in USD.")]
    )
    billing_cycle = models.CharField(max_length=10, choices=BillingCycle, default=BillingCycle.MONTH)
    trial_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of the free trial. Empty: as FREE_TRIAL_DAYS says."
    )
    max_members = models.PositiveSmallIntegerField(
        "seats", default=1, validators=[MinValueValidator(1)], help_text="The owner's own seat included."
    )
    audio_quality = models.CharField(max_length=10, choices=AudioQuality, default=AudioQuality.HIGH)
    offline_mode = models.BooleanField("downloads", default=True)
    ad_free = models.BooleanField("no ads", default=True)
    skip_limit = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Skips in any 60 minutes. Empty: unlimited."
    )
    is_active = models.BooleanField(
        "offered", default=True, help_text="Off: nobody can choose it any more; who has it keeps it."
    )
    stripe_product_id = models.CharField(max_length=255, blank=True, editable=False)
    stripe_price_id = models.CharField(max_length=255, blank=True, editable=False)
    # `terms` at the time when the price was made at Stripe. A price there can't change: other terms need a new one.
    stripe_price_terms = models.CharField(max_length=100, blank=True, editable=False)

    objects = SubscriptionPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "plan"
        ordering = ["price", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(plan_type__in=PlanType.values), name="plan_type_is_known"),
            models.CheckConstraint(condition=Q(audio_quality__in=AudioQuality.values), name="plan_quality_is_known"),
            models.CheckConstraint(condition=Q(billing_cycle__in=BillingCycle.values), name="plan_cycle_is_known"),
            models.CheckConstraint(condition=Q(price__gte=0), name="plan_price_is_not_negative"),
            models.CheckConstraint(condition=Q(max_members__gte=1), name="plan_has_a_seat"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_free(self) -> bool:
        return self.plan_type == PlanType.FREE

    @property
    def has_seats(self) -> bool:
        return self.max_members > 1

    @property
    def days_of_trial(self) -> int:
        return settings.FREE_TRIAL_DAYS if self.trial_days is None else self.trial_days

    @property
    def terms(self) -> str:
        return f"{self.price} {self.currency} a {self.billing_cycle}"
