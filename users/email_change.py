"""An account gets the e-mail address that was confirmed, and what hangs on the old one follows."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from users.email_confirmation import user_of_token
from users.models import User
from users.people import public_username
from users.registration import check_email, check_username, free_username
from users.signals import email_changed


def confirm(token: str) -> None:
    """Make the address that the token was sent to the account's. Devices stay logged in.

    Raises ValidationError where the token is no good, or somebody else took the address meanwhile.
    """
    with transaction.atomic():
        user, email = user_of_token(token)
        check_email(email, owner=user)
        if "@" in user.username:  # then it is the account's own address
            _rename_with_address(user, email)
        user.email, user.email_confirmed_at = User.objects.normalize_email(email), timezone.now()
        user.save()
        email_changed.send(User, user=user)


def _rename_with_address(user: User, email: str) -> None:
    username = _username_from(email, user)
    if user.name == public_username(user.username):
        user.name = public_username(username)
    user.username = username


def _username_from(email: str, user: User) -> str:
    """The address itself, unless it is none that a username can be."""
    try:
        check_username(email, email=email, owner=user)
    except ValidationError:
        return free_username(email.partition("@")[0])
    return email if len(email) <= 150 else free_username(email.partition("@")[0])
