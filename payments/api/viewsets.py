"""Endpoints of plans, the caller's subscription, its members, and Stripe's webhook."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from core.db.base_model import UUID_REGEX
from payments import members, students, subscription_changes
from payments.api import serializers
from payments.api.stripe_events import receive_event
from payments.idempotency import Answer, run_idempotently
from payments.models import BillingAccount, Membership, SubscriptionPlan
from payments.stripe import gateway as stripe_gateway
from payments.stripe import store as stripe_tables
from users.api.permissions import HasConfirmedEmail

# Seconds for all calls to Stripe in one request, so that the answer takes at most 10.
STRIPE_TIME_LIMIT = 7
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A repeated request with the same key gets the first answer again.",
)


class PaymentsViewSet(GenericViewSet):
    permission_classes = [IsAuthenticated]
    tie_breakers: dict[str, str] = {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with stripe_gateway.time_limit(STRIPE_TIME_LIMIT):
            return super().dispatch(request, *args, **kwargs)

    def validated(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page_of(self, rows: QuerySet) -> Response:
        serializer = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(serializer.data)

    def current_of(self, request: Request) -> Response:
        return Response(serializers.CurrentSubscriptionSerializer(request.user).data)


class SubscriptionViewSet(mixins.ListModelMixin, PaymentsViewSet):
    queryset = SubscriptionPlan.objects.offered()
    serializer_class = serializers.PlanSerializer
    filter_backends: list[type] = []
    orderings = {"price": "price"}
    ordering = "price"

    def get_permissions(self) -> list:
        # By `action_map` and not `action`, which OPTIONS leaves unset.
        is_list = self.action_map.get("get") == "list"
        return [AllowAny()] if is_list else super().get_permissions()

    def list(self, request: Request) -> Response:
        """List the plans on offer, cheapest first."""
        return super().list(request)

    @extend_schema(responses=serializers.CurrentSubscriptionSerializer)
    @action(detail=False, serializer_class=serializers.CurrentSubscriptionSerializer, pagination_class=None)
    def current(self, request: Request) -> Response:
        """Return the caller's own subscription, or the one that they are a member of, or the free plan."""
        return self.current_of(request)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: serializers.SubscribedSerializer,
            200: OpenApiResponse(serializers.SubscribedSerializer, "Switched to another plan."),
        },
    )
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[IsAuthenticated, HasConfirmedEmail],
        serializer_class=serializers.SubscribeSerializer,
    )
    def subscribe(self, request: Request) -> Response:
        """Subscribe to a plan, or switch to it. The first subscription starts with the free trial."""
        data = self.validated(request)
        stripe_gateway.check_configured()
        plan, card = data["plan_id"], data.get("payment_method") or ""

        key = request.headers.get("Idempotency-Key")
        if key and len(key) > 255:
            raise ValidationError("An Idempotency-Key may have up to 255 characters.", "invalid")

        def pay(attempt: str) -> Answer:
            result = subscription_changes.subscribe(request.user, plan, payment_method=card, attempt=attempt)
            serializer = serializers.SubscribedSerializer(
                {"subscription": request.user, "client_secret": result.client_secret}
            )
            return Answer(status.HTTP_201_CREATED if result.is_new else status.HTTP_200_OK, serializer.data)

        answer = run_idempotently(request.user, key, {"plan": str(plan.pk), "payment_method": card}, pay)
        return Response(answer.data, status=answer.status_code)

    @extend_schema(request=None, responses={200: serializers.CurrentSubscriptionSerializer})
    @action(detail=False, methods=["post"])
    def cancel(self, request: Request) -> Response:
        """Cancel at the end of the period. Until then the plan stays, and the cancellation can be taken back."""
        subscription_changes.cancel_at_period_end(request.user)
        return self.current_of(request)

    @extend_schema(request=None, responses={200: serializers.CurrentSubscriptionSerializer})
    @action(detail=False, methods=["post"])
    def resume(self, request: Request) -> Response:
        """Take a cancellation back, before the period ends."""
        subscription_changes.resume(request.user)
        return self.current_of(request)

    @extend_schema(responses=serializers.InvoiceSerializer(many=True))
    @action(
        detail=False,
        serializer_class=serializers.InvoiceSerializer,
        orderings={"date": "created"},
        ordering="-date",
    )
    def invoices(self, request: Request) -> Response:
        """List the caller's invoices, newest first."""
        account = BillingAccount.objects.filter(user=request.user, stripe_customer_id__isnull=False).first()
        return self.page_of(stripe_tables.invoices_of(account and account.stripe_customer_id))

    @extend_schema(responses={200: serializers.PageURLSerializer})
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[IsAuthenticated, HasConfirmedEmail],
        serializer_class=serializers.CheckoutSerializer,
    )
    def checkout(self, request: Request) -> Response:
        """Return the address of a page of Stripe (Checkout) to subscribe on."""
        data = self.validated(request)
        stripe_gateway.check_configured()
        return Response({"url": subscription_changes.checkout_url(request.user, data.pop("plan_id"), **data)})

    @extend_schema(responses={200: serializers.PageURLSerializer})
    @action(detail=False, methods=["post"], serializer_class=serializers.PortalSerializer)
    def portal(self, request: Request) -> Response:
        """Return the address of a page of Stripe (the customer portal) with cards and invoices."""
        data = self.validated(request)
        stripe_gateway.check_configured()
        return Response({"url": subscription_changes.portal_url(request.user, **data)})

    @extend_schema(responses=serializers.CurrentSubscriptionSerializer)
    @action(detail=False, methods=["post"], serializer_class=serializers.JoinSerializer)
    def join(self, request: Request) -> Response:
        """Accept an invitation to a Duo or Family plan."""
        members.join(request.user, self.validated(request)["token"])
        return self.current_of(request)

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def leave(self, request: Request) -> Response:
        """Leave the plan that the caller is a member of. Only the plan's owner can end a child's seat."""
        members.leave(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=serializers.StudentStatusSerializer)
    @action(detail=False, pagination_class=None, serializer_class=serializers.StudentApplicationSerializer)
    def student(self, request: Request) -> Response:
        """Return the state of the caller's application for the Student plan."""
        application = students.application_shown_to(request.user) or serializers.NO_APPLICATION
        return Response(serializers.StudentStatusSerializer(application).data)

    @extend_schema(responses={202: serializers.StudentStatusSerializer})
    @student.mapping.post
    def apply_as_student(self, request: Request) -> Response:
        """Apply with a school e-mail address or a document. An admin decides, and then the document is deleted."""
        application = students.apply(request.user, **self.validated(request))
        answer = serializers.StudentStatusSerializer(application)
        return Response(answer.data, status=status.HTTP_202_ACCEPTED)


class MemberViewSet(PaymentsViewSet):
    """Members and invitations of the caller's Duo or Family plan."""

    queryset = Membership.objects.none()
    serializer_class = serializers.MemberSerializer
    lookup_value_regex = UUID_REGEX
    filter_backends: list[type] = []
    orderings = {"created_at": "created_at"}
    ordering = "created_at"

    def get_serializer_class(self) -> type[Any]:
        is_change = self.action == "partial_update"
        return serializers.MemberChangeSerializer if is_change else serializers.MemberSerializer

    def get_object(self) -> Membership:
        return members.seat_of(self.request.user, self.kwargs["pk"])

    @extend_schema(responses=serializers.MemberSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List members and open invitations, without the owner."""
        subscription = subscription_changes.open_subscription_of(request.user)
        if subscription is None or not (subscription.is_entitling and subscription.plan.has_seats):
            raise members.no_seats()
        return self.page_of(members.seats_of(subscription).select_related("user"))

    @extend_schema(responses={201: serializers.MemberSerializer})
    def create(self, request: Request) -> Response:
        """Invite a person by mail. The invitation works once, for 7 days, and takes a seat meanwhile."""
        seat = members.invite(request.user, **self.validated(request))
        return Response(self.get_serializer(seat).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.MemberChangeSerializer, responses=serializers.MemberSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change whether the member is a child."""
        seat = self.get_object()
        serializer = self.get_serializer(seat, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        members.set_child(seat, serializer.validated_data.get("is_child", seat.is_child))
        return Response(serializers.MemberSerializer(seat).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a member, or withdraw an invitation."""
        members.remove_seat(request.user, pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class StripeViewSet(PaymentsViewSet):
    """The endpoint to which Stripe delivers its events."""

    permission_classes = [AllowAny]
    authentication_classes: list[type] = []
    serializer_class = Serializer

    @extend_schema(
        request={"application/json": {"type": "object"}},
        responses={
            200: OpenApiResponse(description="Processed. The same event again changes nothing."),
        },
        parameters=[OpenApiParameter("Stripe-Signature", str, OpenApiParameter.HEADER, required=True)],
    )
    @action(detail=False, methods=["post"])
    def webhook(self, request: Request) -> Response:
        """Receive a signed event of Stripe."""
        receive_event(request._request)
        return Response()
