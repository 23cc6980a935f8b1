from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from users.email_confirmation import is_confirmed
from users.models import User


class HasConfirmedEmail(BasePermission):
    """Allows writes at lists only to users with a confirmed address. A single object is left to its owner check."""

    code = "email_not_verified"
    message = "Confirm your e-mail address first: open the link in the mail that we sent to it, or request another."

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.detail or request.method in SAFE_METHODS:
            return True
        return isinstance(request.user, User) and is_confirmed(request.user)
