"""Change of a password, and reset by a link in a mail."""

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

you, or someone else, asked for a new password for your account. Set it here within an hour:

{link}

If it was not you, do nothing: your password stays as it is.
"""


def set_password(user: User, password: str) -> None:
    """Set the password. `User.save` then logs out every device."""
    user.set_password(password)
    # No other fields: the account may have been suspended since the row was read.
    user.save(update_fields=["password", "updated_at"])


def set_password_by_link(user: User, password: str) -> None:
    """Set the password of a user locked by `lock_user_of_link`, and confirm their address."""
    if user.email_confirmed_at is None:  # the link came by mail to this address
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
    set_password(user, password)


def reset_link(user: User) -> str:
    """Return a link that is valid for PASSWORD_RESET_TIMEOUT seconds and once: the old password is in its signature."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    query = urlencode({"uid": uid, "token": default_token_generator.make_token(user)})
    return f"{settings.FRONTEND_URL}/reset-password?{query}"


@task()
def send_password_reset(email: str) -> None:
    """Mail a reset link to the address, if it has an account."""
    # Looked up here and not in the request, whose time would reveal whether the address is known.
    user = User.objects.known_as(email).filter(is_active=True).first()
    if user and user.email:
        text = RESET_MAIL.format(name=name_in_mail(user), link=reset_link(user))
        send_requested("A new password", text, to=user.email)


def lock_user_of_link(uid: str, token: str) -> User:
    """Lock the user whom the link is for, and return them. Raise ValidationError if the link is not valid.

    Of two requests with one link the second waits for the lock, and then finds the link used.
    """
    try:
        user = User.objects.select_for_update().filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
    except (ValueError, ValidationError):
        user = None
    if user is None or not default_token_generator.check_token(user, token):
        raise ValidationError("This link is not valid, or was used already. Ask for a new one.", "invalid_token")
    return user
