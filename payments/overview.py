"""How a person stands: their own subscription, or the one that they are a member of, or Free."""

from dataclasses import dataclass
from datetime import datetime

from payments.members import seats_used
from payments.models import PlanType, Subscription
from payments.plans import FREE_PLAN
from users.models import User


@dataclass(frozen=True)
class SubscriptionOverview:
    plan: str = PlanType.FREE
    status: str | None = None
    current_period_end: datetime | None = None
    cancel_at_period_end: bool = False
    trial_end: datetime | None = None
    role: str | None = None
    max_members: int = FREE_PLAN.max_members
    members_used: int = 1


def overview_of(user: User) -> SubscriptionOverview:
    found = Subscription.objects.open().select_related("plan")
    for subscription in found.filter(user=user):
        return _standing(subscription, role="owner")
    for subscription in found.filter(memberships__user=user):
        return _standing(subscription, role="member")
    return SubscriptionOverview()


def _standing(subscription: Subscription, *, role: str) -> SubscriptionOverview:
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
