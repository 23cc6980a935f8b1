from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html

from payments import students
from payments.documents import CONTENT_TYPES
from payments.models import BillingAccount, Membership, StudentApplication, Subscription
from payments.models import SubscriptionPlan as Plan


def dashboard_link(kind: str, stripe_id: str | None) -> str:
    if not stripe_id:
        return "–"
    mode = "" if settings.STRIPE_LIVE_MODE else "test/"
    return format_html('<a href="https://dashboard.stripe.com/{}{}/{}">{}</a>', mode, kind, stripe_id, stripe_id)


class ReadOnly(admin.ModelAdmin):
    """What is shown comes from elsewhere and is changed there."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Goes when the account is deleted, and not otherwise."""
        is_here = request.path.startswith(reverse("admin:app_list", args=["payments"]))
        return not is_here and super().has_delete_permission(request, obj)


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):
    list_display = ["name", "plan_type", "price", "currency", "billing_cycle", "max_members", "is_active", "at_stripe"]
    readonly_fields = ["plan_type", "at_stripe"]
    ordering = ["price"]

    @admin.display(description="at Stripe")
    def at_stripe(self, plan: Plan) -> str:
        return dashboard_link("prices", plan.stripe_price_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one of each type

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a plan that is not offered any more is kept for those who have it


class MemberInline(admin.TabularInline):
    model = Membership
    readonly_fields = fields = ["user", "email", "is_child", "status", "joined_at", "expires_at"]
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    """As Stripe has them. What should change is changed there, and comes here by itself."""

    list_display = ["user", "plan", "status", "current_period_end", "cancel_at_period_end", "trial_end", "at_stripe"]
    list_filter = ["status", "plan", "cancel_at_period_end", "is_extra"]
    search_fields = ["user__username", "user__email", "user__name_folded", "stripe_id"]
    list_select_related = ["user", "plan"]
    ordering = ["-started_at"]
    inlines = [MemberInline]

    @admin.display(description="at Stripe")
    def at_stripe(self, subscription: Subscription) -> str:
        return dashboard_link("subscriptions", subscription.stripe_id)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self.list_display, "started_at", "is_extra"]


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ["email", "user", "owner", "plan", "is_child", "status", "joined_at", "expires_at"]
    list_filter = ["is_child", ("user", admin.EmptyFieldListFilter)]
    search_fields = ["email_key", "user__username", "subscription__user__username"]
    list_select_related = ["user", "subscription__user", "subscription__plan"]
    fields = list_display
    ordering = ["-created_at"]

    @admin.display(ordering="subscription__user")
    def owner(self, seat: Membership) -> str:
        return str(seat.subscription.user)

    @admin.display(ordering="subscription__plan")
    def plan(self, seat: Membership) -> str:
        return str(seat.subscription.plan)


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnly):
    list_display = ["user", "at_stripe", "trial_used_at"]
    search_fields = ["user__username", "user__email", "stripe_customer_id"]
    list_select_related = ["user"]
    fields = list_display

    @admin.display(description="at Stripe")
    def at_stripe(self, account: BillingAccount) -> str:
        return dashboard_link("customers", account.stripe_customer_id)


@admin.register(StudentApplication)
class StudentApplicationAdmin(admin.ModelAdmin):
    list_display = ["user", "status", "school_email", "proof", "created_at", "decided_at", "expires_at"]
    list_filter = ["status"]
    search_fields = ["user__username", "user__email", "school_email"]
    list_select_related = ["user"]
    readonly_fields = fields = list_display
    ordering = ["-created_at"]
    actions = ["approve", "refuse"]

    @admin.display(description="document")
    def proof(self, application: StudentApplication) -> str:
        if not application.document:
            return "–"
        url = reverse("admin:payments_studentapplication_document", args=[application.pk])
        return format_html('<a href="{}">document</a>', url)

    def get_urls(self) -> list:
        address = path(
            "<uuid:pk>/document/",
            self.admin_site.admin_view(self.document),
            name="payments_studentapplication_document",
        )
        return [address, *super().get_urls()]

    def document(self, request: HttpRequest, pk: str) -> FileResponse:
        """For admins' eyes: saved, never opened by the browser, whatever is in it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        application = StudentApplication.objects.filter(pk=pk).exclude(document="").first()
        if application is None:
            raise Http404
        kind = CONTENT_TYPES[str(application.document.name).rpartition(".")[2]]
        response = FileResponse(application.document.open(), as_attachment=True, content_type=kind)
        response["Cache-Control"] = "private, no-store"
        return response

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, applications: QuerySet) -> None:
        chosen = applications.count()
        self._tell(request, "Approved for a year", students.approve(applications), chosen)

    @admin.action(description="Refuse", permissions=["change"])
    def refuse(self, request: HttpRequest, applications: QuerySet) -> None:
        chosen = applications.count()
        self._tell(request, "Refused", students.refuse(applications), chosen)

    def _tell(self, request: HttpRequest, what: str, decided: int, chosen: int) -> None:
        messages.success(request, f"{what}: {decided}.")
        if decided < chosen:
            messages.warning(request, f"{chosen - decided} were decided before and stay as they are.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
