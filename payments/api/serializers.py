import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from djstripe.models import Invoice
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from payments.documents import checked_document
from payments.models import Membership, PlanType, SubscriptionPlan
from payments.overview import overview_of
from payments.plans import entitlements_of
from payments.stripe import gateway as stripe_gateway
from users.api.serializers import PersonSerializer, UploadField
from users.models import AudioQuality, User


class FeaturesSerializer(serializers.Serializer):
    """Features of a plan, or of the plan that a user has."""

    audio_quality = serializers.ChoiceField(choices=AudioQuality.choices)
    offline_mode = serializers.BooleanField()
    ad_free = serializers.BooleanField()
    skip_limit = serializers.IntegerField(allow_null=True, help_text="Skips in any 60 minutes; null: unlimited.")

    def to_representation(self, instance: User | SubscriptionPlan) -> dict[str, Any]:
        return super().to_representation(entitlements_of(instance) if isinstance(instance, User) else instance)


class SubscriptionSummarySerializer(serializers.Serializer):
    plan = serializers.ChoiceField(choices=PlanType.choices)
    status = serializers.CharField(
        allow_null=True, help_text="Stripe's name of the status, such as trialing, active or past_due."
    )
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at_period_end = serializers.BooleanField()
    trial_end = serializers.DateTimeField(allow_null=True)

    def to_representation(self, user: User) -> dict[str, Any]:
        return super().to_representation(overview_of(user))


class CurrentSubscriptionSerializer(SubscriptionSummarySerializer):
    role = serializers.ChoiceField(choices=[("owner", "Owner"), ("member", "Member")], allow_null=True)
    max_members = serializers.IntegerField()
    members_used = serializers.IntegerField(help_text="Seats taken by the owner, members and open invitations.")


class PlanSerializer(serializers.ModelSerializer):
    trial_days = serializers.IntegerField(source="days_of_trial")
    features = FeaturesSerializer(source="*")

    class Meta:
        model = SubscriptionPlan
        fields = [
            "id",
            "plan_type",
            "name",
            "price",
            "currency",
            "billing_cycle",
            "trial_days",
            "max_members",
            "features",
        ]


class ChosenPlanSerializer(serializers.Serializer):
    plan_id = serializers.PrimaryKeyRelatedField(queryset=SubscriptionPlan.objects.offered())


class SubscribeSerializer(ChosenPlanSerializer):
    payment_method = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=255,
        help_text="Id of a payment method from Stripe.js. Blank means none.",
    )


class SubscribedSerializer(serializers.Serializer):
    subscription = CurrentSubscriptionSerializer()
    client_secret = serializers.CharField(
        allow_null=True, help_text="For Stripe.js, if the cardholder has to confirm the payment; else null."
    )


@extend_schema_field(OpenApiTypes.URI)
class FrontendURLField(serializers.CharField):
    """A URL on FRONTEND_URL, by default its `path`. Stripe's pages redirect there, so no other site is allowed."""

    def __init__(self, path: str, **kwargs: Any):
        self.path = path
        super().__init__(required=False, max_length=2000, **kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is serializers.empty:
            return True, settings.FRONTEND_URL + self.path
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        if not _is_on_frontend(url):
            raise serializers.ValidationError(f"Give a URL that begins with {settings.FRONTEND_URL}.", "invalid")
        return url


def _is_on_frontend(url: str) -> bool:
    frontend = urlsplit(settings.FRONTEND_URL)
    try:
        parts = urlsplit(url)
        same_origin = _origin_of(parts) == _origin_of(frontend)
    except ValueError:
        return False
    return same_origin and "@" not in parts.netloc and f"{parts.path}/".startswith(f"{frontend.path}/")


def _origin_of(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class CheckoutSerializer(ChosenPlanSerializer):
    success_url = FrontendURLField("/subscription?checkout=success")
    cancel_url = FrontendURLField("/subscription?checkout=cancelled")


class PortalSerializer(serializers.Serializer):
    return_url = FrontendURLField("/subscription")


class PageURLSerializer(serializers.Serializer):
    url = serializers.URLField(help_text="A page of Stripe's.")


class InvoiceSerializer(serializers.Serializer):
    date = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    currency = serializers.SerializerMethodField()
    status = serializers.CharField(help_text="open, paid, uncollectible or void.")
    url = serializers.URLField(source="hosted_invoice_url", allow_null=True, help_text="The invoice's page at Stripe.")

    def get_date(self, invoice: Invoice) -> datetime.date:
        return invoice.created.date()

    @extend_schema_field(serializers.DecimalField(max_digits=12, decimal_places=2))
    def get_amount(self, invoice: Invoice) -> str:
        units = 1 if self.get_currency(invoice) in stripe_gateway.ZERO_DECIMAL_CURRENCIES else 100
        return str((Decimal(invoice.stripe_data["total"]) / units).quantize(Decimal("0.01")))

    def get_currency(self, invoice: Invoice) -> str:
        return str(invoice.stripe_data["currency"]).upper()


class MemberSerializer(serializers.ModelSerializer):
    user = PersonSerializer(allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=[("active", "Active"), ("invited", "Invited")], read_only=True)
    is_child = serializers.BooleanField(required=False, help_text="For a child there are no explicit songs.")

    class Meta:
        model = Membership
        fields = ["id", "user", "email", "is_child", "status", "joined_at", "expires_at"]
        read_only_fields = ["joined_at", "expires_at"]


class MemberChangeSerializer(serializers.ModelSerializer):
    is_child = serializers.BooleanField(required=False)

    class Meta:
        model = Membership
        fields = ["is_child"]


@extend_schema_field(OpenApiTypes.STR)
class JoinTokenField(serializers.Field):
    """A token of any type: what can't be a token gets the error of an invalid token, not one about its form."""

    def to_internal_value(self, data: Any) -> str:
        return data.strip() if isinstance(data, str) else ""


class JoinSerializer(serializers.Serializer):
    token = JoinTokenField()


class DocumentField(UploadField):
    def to_internal_value(self, data: Any) -> Any:
        return checked_document(super().to_internal_value(data))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Browsers send an empty text for a file input that was not used.
        return super().run_validation(serializers.empty if data == "" else data)


class StudentApplicationSerializer(serializers.Serializer):
    school_email = serializers.EmailField(required=False, allow_blank=True)
    document = DocumentField(required=False, help_text="PDF, JPEG, PNG or WebP, up to 10 MB.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if not data.get("school_email") and not data.get("document"):
            raise serializers.ValidationError(
                {"school_email": serializers.ErrorDetail("Send your school e-mail address or a document.", "required")}
            )
        return data


class StudentStatusSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["none", "pending", "approved", "refused"])
    expires_at = serializers.DateTimeField(allow_null=True)


NO_APPLICATION = {"status": "none", "expires_at": None}
