from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from users.models import AuthToken, User


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token …`, found by its digest in one indexed query; a revoked token stops at once."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        digest = hash_token(token.decode("utf-8", "replace"))
        found = AuthToken.objects.select_related("user").filter(digest=digest, expiry__gt=timezone.now()).first()
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("This token is unknown, has ended or was revoked. Log in again.")
        found.was_used()
        return found.user, found


class EmailOrUsernameBackend(ModelBackend):
    """For every door: the API's login, the admin and the browsable API."""

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
            # As much work as for a known account, so that the time does not tell which addresses exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
