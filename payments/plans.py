"""What a plan allows. Everything else asks `entitlements_of` and nothing else."""

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
    # Skips in any 60 minutes; None: unlimited.
    skip_limit: int | None


# What everybody may do anyway, were the row of the free plan ever missing.
FREE_PLAN = SubscriptionPlan(
    plan_type=PlanType.FREE, audio_quality=AudioQuality.MEDIUM, offline_mode=False, ad_free=False, skip_limit=6
)


def entitlements_of(user: User | AnonymousUser) -> Entitlements:
    """As the subscription stands now, one's own or the one that one is a member of. One query, nothing kept."""
    plan = plan_of(user)
    return Entitlements(
        audio_quality=AudioQuality(plan.audio_quality),
        offline_mode=plan.offline_mode,
        ad_free=plan.ad_free,
        skip_limit=plan.skip_limit,
    )


def plan_of(user: User | AnonymousUser) -> SubscriptionPlan:
    """The plan whose features the user has: Free for whoever has no other."""
    plans = _plans_for_some_user() if user.is_authenticated else _plans_for_anybody()
    return plans.first("best", lambda plans: plans[:1], {"user": user.pk}) or FREE_PLAN


@cache
def _plans_for_anybody() -> CompiledQuery:
    return CompiledQuery(SubscriptionPlan.objects.filter(plan_type=PlanType.FREE))


@cache
def _plans_for_some_user() -> CompiledQuery:
    chosen = Q(plan_type=PlanType.FREE) | _plans_subscribed_to(UserParam())
    return CompiledQuery(SubscriptionPlan.objects.filter(chosen).free_last())


def _plans_subscribed_to(user: User | UserParam) -> Q:
    entitling = Subscription.objects.entitling()
    own = entitling.filter(user=user.pk).values("plan")
    shared = entitling.filter(memberships__user=user.pk).values("plan")
    return Q(pk__in=own) | Q(pk__in=shared)


def child_seat_of(user: User | UserParam) -> Exists:
    """Whether the user is somebody's child member, as a part of another query: it costs none of its own."""
    return Exists(Membership.objects.filter(user=user.pk, is_child=True))


def is_child(user: User) -> bool:
    return Membership.objects.filter(user=user, is_child=True).exists()
