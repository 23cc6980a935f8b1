"""A user's subscription as the API answers it: their own, or the one that they are a member of, or Free."""

from dataclasses import dataclass
from datetime import datetime

from payments.members import seats_used
from payments.models import PlanType, Subscription
from payments.plans import FREE_PLAN
from users.models import User


@dataclass(frozen=True)
class SubscriptionOverview:
    """Fields of the answer; the defaults are those of a user without a subscription."""

    plan: str = PlanType.FREE
    status: str | None = None
    current_period_end: datetime | None = None
    cancel_at_period_end: bool = False
    trial_end: datetime | None = None
    role: str | None = None
    max_members: int = FREE_PLAN.max_members
    members_used: int = 1


def overview_of(user: User) -> SubscriptionOverview:
    subscriptions = Subscription.objects.open().select_related("plan")
    role, subscription = "owner", subscriptions.filter(user=user).first()
    if subscription is None:
        role, subscription = "member", subscriptions.filter(memberships__user=user).first()
    if subscription is None:
        return SubscriptionOverview()
    return SubscriptionOverview(
        plan=subscription.plan.plan_type,
        status=subscription.status,
        current_period_end=subscription.current_period_end,
        cancel_at_period_end=subscription.cancel_at_period_end,
        trial_end=subscription.trial_end,
        role=role,
        max_members=subscription.plan.max_members,
        members_used=seats_used(subscription),
    )
