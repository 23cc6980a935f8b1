"""Entitlements: what a user's plan allows now. The rest of the code asks `entitlements_of`, never for a plan."""

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, Q

from core.db.compiled import CompiledQuery, UserParam
from payments.models import Membership, PlanType, Subscription, SubscriptionPlan
from users.models import AudioQuality, User

__all__ = ["Entitlements", "PlanType", "child_seat_of", "entitlements_of", "is_child", "plan_of"]


@dataclass(frozen=True)
class Entitlements:
    audio_quality: AudioQuality
    offline_mode: bool
    ad_free: bool
    # Skips in any 60 minutes; None means unlimited.
    skip_limit: int | None


# Used if the row of the free plan is missing.
FREE_PLAN = SubscriptionPlan(
    plan_type=PlanType.FREE, audio_quality=AudioQuality.MEDIUM, offline_mode=False, ad_free=False, skip_limit=6
)


def entitlements_of(user: User | AnonymousUser) -> Entitlements:
    """Return what the user's own plan, or the one that they are a member of, allows now. One query, never cached."""
    plan = plan_of(user)
    return Entitlements(
        audio_quality=AudioQuality(plan.audio_quality),
        offline_mode=plan.offline_mode,
        ad_free=plan.ad_free,
        skip_limit=plan.skip_limit,
    )


def plan_of(user: User | AnonymousUser) -> SubscriptionPlan:
    """Return the plan whose features the user has: own or shared, else Free."""
    plans = _plans_of_user() if user.is_authenticated else _free_plan()
    return plans.first("best", lambda plans: plans[:1], {"user": user.pk}) or FREE_PLAN


@cache
def _free_plan() -> CompiledQuery:
    return CompiledQuery(SubscriptionPlan.objects.filter(plan_type=PlanType.FREE))


@cache
def _plans_of_user() -> CompiledQuery:
    user, entitling = UserParam(), Subscription.objects.entitling()
    own = entitling.filter(user=user.pk).values("plan")
    shared = entitling.filter(memberships__user=user.pk).values("plan")
    plans = SubscriptionPlan.objects.filter(Q(plan_type=PlanType.FREE) | Q(pk__in=own) | Q(pk__in=shared))
    return CompiledQuery(plans.free_last())


def child_seat_of(user: User | UserParam) -> Exists:
    """Return a condition, for use in another query, that is true if the user is a child on a Family plan."""
    return Exists(Membership.objects.filter(user=user.pk, is_child=True))


def is_child(user: User) -> bool:
    return Membership.objects.filter(user=user, is_child=True).exists()
