"""Confirmation of e-mail addresses by a link in a mail to the address."""

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

LINK_LIFETIME = timedelta(days=1)
SALT = "users.confirming_email"  # this module's former name: links in mails that were sent have to stay valid
# A separator that needs no escaping in a URL.
SIGNER = signing.TimestampSigner(salt=SALT, sep=".")

CONFIRMATION = """Hello {name},

please confirm within a day that this is your e-mail address:

{link}

If you did not ask for this, do nothing.
"""
CHANGE_REQUESTED = """Hello {name},

you, or someone else, asked to change the e-mail address of your account to {email}. It changes as soon as the link
in a mail to that address is opened.

If it was not you, set a new password within an hour. That stops the change, and logs out every device:

{link}
"""
ADDRESS_TAKEN = """Hello,

you, or someone else, asked to make this the e-mail address of an account. You already have an account with it, so
nothing was changed.
"""


def is_confirmed(user: User) -> bool:
    """Return whether the user's address is confirmed; always true while EMAIL_VERIFICATION is off."""
    return not settings.EMAIL_VERIFICATION or user.email_confirmed_at is not None


def request_change(user: User, email: str) -> None:
    """Queue the mails to the new and the old address."""
    # The address is looked up in the task: neither the answer nor its time may reveal whether it has an account.
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
    """Tell the present address about a change. An unconfirmed one gets no mail: it may be a mistyped stranger's."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user and user.email and user.email_confirmed_at and user.email_key != fold_address(email):
        text = CHANGE_REQUESTED.format(name=name_in_mail(user), email=email, link=reset_link(user))
        send_requested("Another e-mail address for your account", text, to=user.email, sender=user)


def confirmation_link(user: User, email: str) -> str:
    """Return a link that is valid for a day and until the address or the password changes, so it works once."""
    content = {"user": str(user.pk), "email": email, "state": _account_state(user)}
    return f"{settings.FRONTEND_URL}/verify-email?token={SIGNER.sign_object(content)}"


def _account_state(user: User) -> str:
    return salted_hmac(SALT, f"{user.password} {user.email} {user.email_confirmed_at}").hexdigest()


def lock_user_of_token(token: str) -> tuple[User, str]:
    """Lock the user whom the token is for, and return them with the address to confirm.

    Of two requests with one token the second waits for the lock, and then finds the token used. Raise ValidationError
    if the token is not valid.
    """
    try:
        content = SIGNER.unsign_object(token, max_age=LINK_LIFETIME)
    except signing.BadSignature as error:
        raise invalid_token() from error
    user = User.objects.select_for_update().filter(pk=content["user"], is_active=True).first()
    if user is None or not constant_time_compare(content["state"], _account_state(user)):
        raise invalid_token()
    return user, content["email"]


def invalid_token() -> ValidationError:
    return ValidationError(
        "This link is not valid, was used already, or has expired. Ask for another.", "invalid_token"
    )
