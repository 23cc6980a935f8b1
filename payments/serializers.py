from typing import Any

from rest_framework import serializers

from payments.plans import PlanType, entitlements_of
from users.models import AudioQuality, User


class FeaturesSerializer(serializers.Serializer):
    """What a user may do by their plan."""

    audio_quality = serializers.ChoiceField(choices=AudioQuality.choices)
    offline_mode = serializers.BooleanField()
    ad_free = serializers.BooleanField()
    skip_limit = serializers.IntegerField(allow_null=True, help_text="In any 60 minutes; null: unlimited.")

    def to_representation(self, user: User) -> dict[str, Any]:
        return super().to_representation(entitlements_of(user))


class SubscriptionSummarySerializer(serializers.Serializer):
    plan = serializers.ChoiceField(choices=PlanType.choices)
    status = serializers.CharField(allow_null=True)
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at_period_end = serializers.BooleanField()
    trial_end = serializers.DateTimeField(allow_null=True)

    def to_representation(self, user: User) -> dict[str, Any]:
        return {
            "plan": PlanType.FREE,
            "status": None,
            "current_period_end": None,
            "cancel_at_period_end": False,
            "trial_end": None,
        }
