"""Telling who is at the door, and slowing down whoever guesses."""

from datetime import timedelta
from hashlib import sha256
from math import ceil

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from core.errors import LimitReached, NotAuthenticated
from core.folding import fold_case
from users.models import AuthToken, FailedLogin, User


class InvalidCredentials(NotAuthenticated):
    default_code = "invalid_credentials"
    default_detail = "This e-mail address and password do not go together."


def check_credentials(identifier: str, password: str, *, address: str) -> User:
    """Return the user with this e-mail address or username. Raise InvalidCredentials or LimitReached else.

    `address` is the caller's IP address, by which wrong passwords are counted too.
    """
    identifier = identifier.replace("\0", "")  # PostgreSQL refuses it
    guess = _note_guess(account_key(identifier), address) if settings.THROTTLING else None
    user = authenticate(username=identifier, password=password)
    if user is None:
        raise InvalidCredentials
    if guess:
        guess.delete()
    return user


def confirm_password(user: User, password: str, *, address: str, field: str = "password") -> None:
    """Somebody who is logged in says it once more. Guesses count as at the door: a token may be stolen."""
    try:
        check_credentials(user.email or user.username, password, address=address)
    except InvalidCredentials as error:
        raise ValidationError({field: ValidationError("This is not your password.", "invalid_password")}) from error


def account_key(identifier: str) -> str:
    """Return what guesses are counted by: the account, by whichever name it was meant, else what was typed."""
    known = User.objects.known_as(identifier).values_list("pk", flat=True).first()
    return _digest(str(known) if known else fold_case(identifier))


def _note_guess(account: str, address: str) -> FailedLogin:
    """Count a guess as wrong before it is checked: guesses sent at the same time can't pass the limit together."""
    now = timezone.now()
    rates = [settings.THROTTLE_RATES[name] for name in ("login_address", "login")]
    guess = FailedLogin.objects.create(account=account, address=address, at=now)
    forgotten = now - timedelta(seconds=max(seconds for _, seconds in rates))
    FailedLogin.objects.filter(address=guess.address, at__lt=forgotten).delete()
    others = list(
        FailedLogin.objects.filter(address=guess.address)
        .exclude(pk=guess.pk)
        .order_by("at")
        .values_list("account", "at")
    )
    of_account = [at for who, at in others if who == account]
    for (limit, seconds), times in zip(rates, ([at for _, at in others], of_account), strict=True):
        over = times[-limit] + timedelta(seconds=seconds) - now if len(times) >= limit else timedelta(0)
        if over > timedelta(0):
            guess.delete()
            raise LimitReached(wait=ceil(over.total_seconds()))
    return guess


def failed_logins_of(user: User) -> QuerySet[FailedLogin]:
    """Return the wrong passwords for this account that are still counted."""
    return FailedLogin.objects.filter(account=_digest(str(user.pk)))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def device_name(user_agent: str) -> str:
    """A name that its owner recognises: "Firefox on Linux", or the program's own ("curl/8.5")."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), None)
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    words = user_agent.replace("\0", "").split()
    return words[0][:100] if words else "unknown device"


def issue_token(user: User, *, user_agent: str) -> str:
    """A new token for the device that asks; the text is shown this once and never kept."""
    _, token = AuthToken.objects.create(user, device=device_name(user_agent))
    return token
