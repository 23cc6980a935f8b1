from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from users.forms import LoginForm, refuse_if_throttled

OUR_APPS = ["music", "users", "payments"]


class MusicAdminSite(AdminSite):
    site_header = site_title = "Music"
    index_title = "Administration"
    login_form = LoginForm

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return refuse_if_throttled(super().login(request, extra_context))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list:
        """What an admin works with first; the fifty tables of dj-stripe last."""
        apps = super().get_app_list(request, app_label)
        labels = [*OUR_APPS, *(app["app_label"] for app in apps)]
        return sorted(apps, key=lambda app: labels.index(app["app_label"]))
