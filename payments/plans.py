"""What a plan allows. Everything else asks `entitlements_of` and nothing else."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import models

from users.models import AudioQuality, User


class PlanType(models.TextChoices):
    FREE = "free"
    INDIVIDUAL = "individual"
    DUO = "duo"
    FAMILY = "family"
    STUDENT = "student"


@dataclass(frozen=True)
class Entitlements:
    audio_quality: AudioQuality
    offline_mode: bool
    ad_free: bool
    # Skips in any 60 minutes; None: unlimited.
    skip_limit: int | None


FREE = Entitlements(audio_quality=AudioQuality.MEDIUM, offline_mode=False, ad_free=False, skip_limit=6)


def entitlements_of(user: User | AnonymousUser) -> Entitlements:
    return FREE
