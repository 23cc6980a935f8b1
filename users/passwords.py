"""Changing a password, and getting back in without it."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django_tasks import task

from users.mail import name_in_mail, send_requested
from users.models import User

RESET_MAIL = """Hello {name},

somebody, probably you, asked for a new password for your account. Set it here within an hour:

{link}

If it was not you, do nothing: your password stays as it is.
"""


def set_password(user: User, password: str) -> None:
    """Every device that is logged in has to log in again."""
    user.set_password(password)
    # The rest of the row may have changed since it was read: a suspension must stay.
    user.save(update_fields=["password", "updated_at"])


def set_password_by_link(user: User, password: str) -> None:
    """To be called with the user held, as `user_of_link` does."""
    if user.email_confirmed_at is None:  # whoever has the link reads this address's mail
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
    set_password(user, password)


def reset_link(user: User) -> str:
    """Good once (the password is part of what is signed) and for PASSWORD_RESET_TIMEOUT seconds."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    query = urlencode({"uid": uid, "token": default_token_generator.make_token(user)})
    return f"{settings.FRONTEND_URL}/reset-password?{query}"


@task()
def send_password_reset(email: str) -> None:
    """Looks the address up here and not in the request, whose time would tell whether it is known."""
    user = User.objects.known_as(email).filter(is_active=True).first()
    if user and user.email:
        text = RESET_MAIL.format(name=name_in_mail(user), link=reset_link(user))
        send_requested("A new password", text, to=user.email)


def user_of_link(uid: str, token: str) -> User:
    """Whose link it is, locked: of two who use it at once, the second finds it used."""
    try:
        user = User.objects.select_for_update().filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
    except (ValueError, ValidationError):
        user = None
    if user is None or not default_token_generator.check_token(user, token):
        raise ValidationError("This link is not valid, or was used already. Ask for a new one.", "invalid_token")
    return user
