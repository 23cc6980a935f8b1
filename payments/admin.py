from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from djstripe.models import Invoice

from core.admin.csv_export import ExportedList
from core.admin.pages import AdminPages, ReadOnlyPages, message_text, reason_text
from payments import students
from payments.documents import CONTENT_TYPES
from payments.models import BillingAccount, Membership, StudentApplication, Subscription
from payments.models import SubscriptionPlan as Plan
from payments.price_changes import Payers, payers_of
from payments.stripe.gateway import ZERO_DECIMAL_CURRENCIES


def dashboard_link(kind: str, stripe_id: str | None) -> str:
    if not stripe_id:
        return "–"
    mode = "" if settings.STRIPE_LIVE_MODE else "test/"
    return format_html('<a href="https://dashboard.stripe.com/{}{}/{}">{}</a>', mode, kind, stripe_id, stripe_id)


# Fields of a plan that its price at Stripe depends on.
TERMS = frozenset(["price", "currency", "billing_cycle"])


class PlanForm(ModelForm):
    def clean_price(self) -> Decimal:
        return self.cleaned_data["price"].quantize(Decimal("0.01"))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        price, currency = self.cleaned_data.get("price"), self.cleaned_data.get("currency")
        if price and self.instance.is_free:
            self.add_error("price", "The free plan costs nothing.")
        if price and currency in ZERO_DECIMAL_CURRENCIES.split() and price % 1:
            self.add_error("price", f"{currency} has no cents.")
        return cleaned


@admin.register(Plan)
class PlanAdmin(AdminPages):
    form = PlanForm
    list_display = ["name", "plan_type", "price", "currency", "billing_cycle", "max_members", "is_active", "at_stripe"]
    readonly_fields = ["plan_type", "at_stripe", "paid_now"]
    ordering = ["price"]

    @admin.display(description="at Stripe")
    def at_stripe(self, plan: Plan) -> str:
        return dashboard_link("prices", plan.stripe_price_id)

    @admin.display(description="subscribers by price")
    def paid_now(self, plan: Plan) -> str:
        lines = [(payers.text,) for payers in payers_of(plan)]
        return format_html_join(mark_safe("<br>"), "{}", lines) or "This plan has no subscribers."

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for confirmation before the terms of a plan with subscribers change, and show what each group pays."""
        plan = self.get_object(request, unquote(object_id)) if object_id else None
        if request.method == "POST" and plan and self.has_change_permission(request, plan):
            before = plan.terms
            form = self.get_form(request, plan, change=True)(request.POST, request.FILES, instance=plan)
            is_changed = form.is_valid() and TERMS.intersection(form.changed_data)
            if is_changed and request.POST.get("confirmed") != plan.terms and (payers := payers_of(plan)):
                return self._ask_to_confirm(request, plan, before, payers)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _ask_to_confirm(self, request: HttpRequest, plan: Plan, before: str, payers: list[Payers]) -> HttpResponse:
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Change the price of {plan}",
            "plan": plan,
            "before": before,
            "payers": payers,
            "people": sum(group.people for group in payers),
            "sent": [(name, value) for name, value in sent if name not in ("csrfmiddlewaretoken", "confirmed")],
        }
        return TemplateResponse(request, "admin/price_change.html", context)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: list, add: bool = False) -> Any:
        message = super().construct_change_message(request, form, formsets, add)
        if not TERMS.intersection(form.changed_data):
            return message
        before = Plan(**{name: form.initial[name] for name in TERMS}).terms
        return f"{message_text(message)} From {before} to {form.instance.terms}, for new subscribers."

    def save_model(self, request: HttpRequest, plan: Plan, form: ModelForm, change: bool) -> None:
        super().save_model(request, plan, form, change)
        if not plan.is_free and TERMS.intersection(form.changed_data):
            messages.info(
                request,
                f"New subscribers pay {plan.terms}; present subscribers of {plan} go on paying their old price. Stripe "
                "gets the new price with the next subscriber, or by manage.py sync_plans.",
            )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one plan of each type

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a plan that is not on offer any more stays for its subscribers


class MemberInline(admin.TabularInline):
    model = Membership
    readonly_fields = fields = ["user", "email", "is_child", "status", "joined_at", "expires_at"]
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyPages, ExportedList):
    """Subscriptions as Stripe has them, read-only: change them at Stripe, whose events update these rows."""

    list_display = [
        "user",
        "email",
        "plan",
        "status",
        "current_period_end",
        "cancel_at_period_end",
        "trial_end",
        "at_stripe",
    ]
    list_filter = ["status", "plan", "cancel_at_period_end", "is_extra"]
    search_fields = ["user__username", "user__email", "user__name_folded", "stripe_id"]
    list_select_related = ["user", "plan"]
    ordering = ["-started_at"]
    inlines = [MemberInline]
    csv_columns = {
        "id": "id",
        "person": "user__name",
        "e-mail": "user__email",
        "person id": "user_id",
        "plan": "plan__name",
        "status": "status",
        "started": "started_at",
        "trial ends": "trial_end",
        "period ends": "current_period_end",
        "ends with the period": "cancel_at_period_end",
        "cancelled as the second": "is_extra",
        "Stripe id": "stripe_id",
    }

    @admin.display(ordering="user__email", description="e-mail")
    def email(self, subscription: Subscription) -> str:
        return subscription.user.email or "–"

    @admin.display(description="at Stripe")
    def at_stripe(self, subscription: Subscription) -> str:
        return dashboard_link("subscriptions", subscription.stripe_id)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self.list_display, "started_at", "is_extra"]


def invoice_text(*names: str) -> Callable[[Any], Any]:
    """Return a function that reads a field of an invoice as Stripe sent it."""

    def read(invoice: Invoice) -> Any:
        value: Any = invoice.stripe_data
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return read


def invoice_amount(invoice: Invoice) -> str:
    total, currency = invoice.stripe_data.get("total"), str(invoice.stripe_data.get("currency")).upper()
    if not isinstance(total, int):
        return "–"
    return str(Decimal(total) if currency in ZERO_DECIMAL_CURRENCIES.split() else Decimal(total) / 100)


class InvoiceAdmin(ReadOnlyPages, ExportedList):
    """Invoices that dj-stripe has stored, with the e-mail address of the customer's account."""

    list_display = ["number", "person", "amount", "status", "created", "at_stripe"]
    list_filter = ["created"]
    search_fields = ["id", "customer__id", "customer__email"]
    list_select_related = ["customer"]
    ordering = ["-created", "-djstripe_id"]
    fields = ["number", "person", "amount", "status", "created", "at_stripe", "page"]
    csv_columns = {
        "number": invoice_text("number"),
        "date": "created",
        "person": "person",
        "status": invoice_text("status"),
        "amount": invoice_amount,
        "currency": lambda invoice: str(invoice.stripe_data.get("currency") or "").upper(),
        "customer": "customer_id",
        "Stripe id": "id",
        "page": invoice_text("hosted_invoice_url"),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        accounts = BillingAccount.objects.filter(stripe_customer_id=OuterRef("customer_id"))
        return super().get_queryset(request).annotate(person=Subquery(accounts.values("user__email")[:1]))

    @admin.display(ordering="id")
    def number(self, invoice: Invoice) -> str:
        return invoice_text("number")(invoice) or invoice.id

    @admin.display(ordering="person")
    def person(self, invoice: Any) -> str:
        return invoice.person or "–"

    @admin.display()
    def amount(self, invoice: Invoice) -> str:
        return f"{invoice_amount(invoice)} {str(invoice.stripe_data.get('currency') or '').upper()}"

    @admin.display()
    def status(self, invoice: Invoice) -> str:
        return invoice_text("status")(invoice) or "–"

    @admin.display(description="at Stripe")
    def at_stripe(self, invoice: Invoice) -> str:
        return dashboard_link("invoices", invoice.id)

    @admin.display(description="page for the customer")
    def page(self, invoice: Invoice) -> str:
        return invoice_text("hosted_invoice_url")(invoice) or "–"


@admin.register(Membership)
class MembershipAdmin(ReadOnlyPages):
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
class BillingAccountAdmin(ReadOnlyPages):
    list_display = ["user", "at_stripe", "trial_used_at"]
    search_fields = ["user__username", "user__email", "stripe_customer_id"]
    list_select_related = ["user"]
    fields = list_display

    @admin.display(description="at Stripe")
    def at_stripe(self, account: BillingAccount) -> str:
        return dashboard_link("customers", account.stripe_customer_id)


@admin.register(StudentApplication)
class StudentApplicationAdmin(AdminPages):
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
        """Download the document. It is sent as an attachment: a browser must not open what a stranger uploaded."""
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
        if self.are_too_many(request, applications):
            return
        chosen = applications.count()
        with transaction.atomic():
            approved = students.approve(applications)
            self.log_action_of(request, approved, "Approved for a year.")
        self._report(request, "Approved for a year", len(approved), chosen)

    @admin.action(description="Refuse", permissions=["change"])
    def refuse(self, request: HttpRequest, applications: QuerySet) -> HttpResponse | None:
        answer = self.ask_why(
            request,
            applications,
            action="refuse",
            title="Refuse student applications",
            explanation="Their documents are deleted. The people may apply again.",
        )
        if not isinstance(answer, str):
            return answer
        chosen = applications.count()
        with transaction.atomic():
            refused = students.refuse(applications)
            self.log_action_of(request, refused, f"Refused. {reason_text(answer)}")
        self._report(request, "Refused", len(refused), chosen)
        return None

    def _report(self, request: HttpRequest, decision: str, decided: int, chosen: int) -> None:
        messages.success(request, f"{decision}: {decided}.")
        if decided < chosen:
            messages.warning(request, f"{chosen - decided} were decided before and are unchanged.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
