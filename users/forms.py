from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from core.errors import DomainError
from core.http.addresses import address_of
from users.login import check_credentials
from users.models import User


class LoginForm(AuthenticationForm):
    """The log-in form of the admin and the browsable API. Wrong passwords count as they do at the API."""

    # Set after too many wrong passwords.
    seconds_to_wait: int | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address or username"

    def clean(self) -> dict[str, Any]:
        identifier, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if identifier and password:
            try:
                self.user_cache = check_credentials(identifier, password, address=address_of(self.request))
            except DomainError as error:
                self.seconds_to_wait = error.wait
                raise ValidationError(error.detail, error.code) from error
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


def refuse_if_throttled(page: HttpResponse) -> HttpResponse:
    """Turn the log-in page into a 429 with Retry-After if its form was refused for too many wrong passwords."""
    form = (getattr(page, "context_data", None) or {}).get("form")
    if isinstance(form, LoginForm) and form.seconds_to_wait:
        page.status_code = 429
        page["Retry-After"] = str(form.seconds_to_wait)
    return page


class LoginPage(LoginView):
    """The log-in page of the browsable API."""

    template_name = "rest_framework/login.html"
    authentication_form = LoginForm

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        return refuse_if_throttled(super().form_invalid(form))


class AdminLoginForm(LoginForm):
    """The log-in form of the admin, for staff only. Others are told so once their password was right."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise ValidationError(
                "The password is right, but this page is the admin, for the people who run the service. "
                "Listeners and artists can't log in here.",
                "not_staff",
            )
