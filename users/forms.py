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
    """The login form of the admin and the browsable API. Guesses count as they do at the API."""

    # Where there were too many.
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
    """Return the login page as a 429 with Retry-After, where its form was refused for too many guesses."""
    form = (getattr(page, "context_data", None) or {}).get("form")
    if isinstance(form, LoginForm) and form.seconds_to_wait:
        page.status_code = 429
        page["Retry-After"] = str(form.seconds_to_wait)
    return page


class LoginPage(LoginView):
    """The login page of the browsable API."""

    template_name = "rest_framework/login.html"
    authentication_form = LoginForm

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        return refuse_if_throttled(super().form_invalid(form))


class AdminLoginForm(LoginForm):
    """Lets staff in alone, and says so to others who know their password."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise ValidationError(
                "The password is right, but this page is the admin, for the people who run the service. "
                "This account is one of a listener or an artist: it has nothing here.",
                "not_staff",
            )
