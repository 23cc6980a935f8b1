from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from rest_framework.exceptions import APIException

from users.logging_in import check_password_of
from users.models import User


class LoginForm(AuthenticationForm):
    """The admin's and the browsable API's door: guesses are counted here like at the API's own."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address or username"

    def clean(self) -> dict[str, Any]:
        identifier, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if identifier and password:
            try:
                self.user_cache = check_password_of(identifier, password, self.request)
            except APIException as error:
                raise ValidationError(str(error.detail), error.get_codes()) from error
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


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
