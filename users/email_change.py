"""Change of an account's e-mail address, after its confirmation."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from users.email_confirmation import lock_user_of_token
from users.models import User
from users.people import public_username
from users.registration import check_email, check_username, free_username
from users.signals import email_changed


def confirm_email(token: str) -> None:
    """Set the account's address to the one that the token was sent to. Devices stay logged in.

    Raise ValidationError if the token is not valid, or another account has taken the address meanwhile.
    """
    with transaction.atomic():
        user, email = lock_user_of_token(token)
        check_email(email, owner=user)
        if "@" in user.username:  # a username with @ is always the account's own address
            username = _username_from(email, user)
            if user.name == public_username(user.username):
                user.name = public_username(username)
            user.username = username
        user.email, user.email_confirmed_at = User.objects.normalize_email(email), timezone.now()
        user.save()
        email_changed.send(User, user=user)


def _username_from(email: str, user: User) -> str:
    """Return the address, or a free username made from it if the address is not a valid username."""
    try:
        check_username(email, email=email, owner=user)
    except ValidationError:
        return free_username(email.partition("@")[0])
    return email if len(email) <= 150 else free_username(email.partition("@")[0])
