from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.admin.pages import AdminPages, ReadOnlyPages
from users.forms import AdminLoginForm, refuse_if_throttled

OUR_APPS = ["music", "users", "payments"]
# dj-stripe's model that the index lists under payments, because admins need it daily.
LISTED_UNDER_PAYMENTS = "Invoice"


class StripeTable(ReadOnlyPages):
    """Read-only pages for a table of dj-stripe: what Stripe sent, unchanged."""

    def __init__(self, model: type[Model], admin_site: AdminSite):
        super().__init__(model, admin_site)
        names = [field.name for field in self.opts.concrete_fields]
        self.list_display = [name for name in ("id", "name", "type", "livemode", "created") if name in names]
        if not {"id", "name", "type"}.intersection(names):
            self.list_display.insert(0, "pk")
        self.search_fields = ["id"] if "id" in names else []
        self.ordering = ["-pk"]
        self.fields = [name for name in names if "secret" not in name]


class MusicAdminSite(AdminSite):
    site_header = site_title = "Music"
    index_title = "Administration"
    login_form = AdminLoginForm
    login_template = "admin/staff_login.html"
    # Breadcrumbs lead back from every page, and lists need the width.
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """Register a model with our base pages, and a model of dj-stripe read-only.

        dj-stripe's own pages change objects at Stripe without our subscriptions following, and some fail.
        """
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        for model in models:
            pages = admin_class or ModelAdmin
            if model._meta.app_label == "djstripe" and not issubclass(pages, ReadOnlyPages):
                if self.is_registered(model):
                    continue
                pages = StripeTable
            elif not issubclass(pages, AdminPages):
                pages = type(pages.__name__, (AdminPages, pages), {})
            super().register(model, pages, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return refuse_if_throttled(super().login(request, extra_context))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list:
        """Return our apps first, and one link for all of dj-stripe's fifty tables."""
        apps = super().get_app_list(request, app_label)
        if app_label == "djstripe":
            return apps
        stripe = next((app for app in super().get_app_list(request) if app["app_label"] == "djstripe"), None)
        for app in apps:
            if app["app_label"] == "payments" and stripe:
                app["models"] += [model for model in stripe["models"] if model["object_name"] == LISTED_UNDER_PAYMENTS]
                app["models"].append(self._link_to_stripe_tables())
        labels = [*OUR_APPS, *(app["app_label"] for app in apps)]
        return sorted(
            (app for app in apps if app["app_label"] != "djstripe"), key=lambda app: labels.index(app["app_label"])
        )

    def _link_to_stripe_tables(self) -> dict[str, Any]:
        return {
            "name": "All data from Stripe (read-only)",
            "object_name": "StripeTables",
            "admin_url": reverse("admin:app_list", args=["djstripe"], current_app=self.name),
            "add_url": None,
            "view_only": True,
            "perms": {"add": False, "change": False, "delete": False, "view": True},
        }
