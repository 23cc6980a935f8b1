from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from users.models import User


class EmailOrUsernameBackend(ModelBackend):
    """Authenticates by e-mail address or username, for the API, the admin and the browsable API."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.known_as(username).first()
        if user is None:
            # Hash the password all the same: the time of the answer must not reveal which accounts exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
