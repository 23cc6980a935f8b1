"""An e-mail address becomes an account's when whoever reads its mail has said so."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from core.folding import fold_address
from core.jobs.retries import retried_task
from users.mail import name_in_mail, send_requested
from users.models import User
from users.passwords import reset_link

LINK_LASTS = timedelta(days=1)
SALT = "users.confirming_email"  # an address of old: links in mails that were sent must stay good
# With a sign between its parts that an address need not spell otherwise.
SIGNER = signing.TimestampSigner(salt=SALT, sep=".")

CONFIRMATION = """Hello {name},

is this your e-mail address? Then say so within a day:

{link}

If you do not know of this, do nothing.
"""
CHANGE_ASKED_FOR = """Hello {name},

somebody, probably you, wants {email} to be the e-mail address of your account from now on. It will be, as soon as
the link in a mail to that address is followed.

If it was not you, set a new password within an hour. That stops it, and logs every device out:

{link}
"""
ADDRESS_TAKEN = """Hello,

somebody, probably you, wants this to be the e-mail address of an account. You have an account with it already, so
nothing was changed.
"""


def is_confirmed(user: User) -> bool:
    return not settings.EMAIL_VERIFICATION or user.email_confirmed_at is not None


def request_change(user: User, email: str) -> None:
    """Looks nothing up here: neither answer nor time tells whether the address has an account."""
    with transaction.atomic():
        notify_old_address.enqueue(str(user.pk), email)
        send_confirmation.enqueue(str(user.pk), email)


@retried_task(attempts=10)
def send_confirmation(user_id: str, email: str) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or (email == user.email and user.email_confirmed_at):
        return
    if User.objects.known_as(email).exclude(pk=user_id).exists():
        send_requested("Your e-mail address", ADDRESS_TAKEN, to=email, sender=user)
    else:
        text = CONFIRMATION.format(name=name_in_mail(user), link=confirmation_link(user, email))
        send_requested("Confirm your e-mail address", text, to=email, sender=user)


@retried_task(attempts=10)
def notify_old_address(user_id: str, email: str) -> None:
    """Unless it is nobody's for sure: it may be a stranger's, by a slip of the pen."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user and user.email and user.email_confirmed_at and user.email_key != fold_address(email):
        text = CHANGE_ASKED_FOR.format(name=name_in_mail(user), email=email, link=reset_link(user))
        send_requested("Another e-mail address for your account", text, to=user.email, sender=user)


def confirmation_link(user: User, email: str) -> str:
    """Good for a day and once: it dies with any change of address or password."""
    said = {"user": str(user.pk), "email": email, "state": _state_of(user)}
    return f"{settings.FRONTEND_URL}/verify-email?token={SIGNER.sign_object(said)}"


def _state_of(user: User) -> str:
    return salted_hmac(SALT, f"{user.password} {user.email} {user.email_confirmed_at}").hexdigest()


def user_of_token(token: str) -> tuple[User, str]:
    """Whose token it is, held: of two who use it at once, the second finds it used."""
    try:
        said = SIGNER.unsign_object(token, max_age=LINK_LASTS)
    except signing.BadSignature as error:
        raise invalid_token() from error
    user = User.objects.select_for_update().filter(pk=said["user"], is_active=True).first()
    if user is None or not constant_time_compare(said["state"], _state_of(user)):
        raise invalid_token()
    return user, said["email"]


def invalid_token() -> ValidationError:
    return ValidationError("This link is not valid, was used already, or has ended. Ask for another.", "invalid_token")
