"""Log-in: check of credentials, limits for wrong passwords, and tokens for devices."""

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
    default_detail = "The e-mail address or the password is wrong."


def check_credentials(identifier: str, password: str, *, address: str) -> User:
    """Return the user with this e-mail address or username and password.

    `address` is the caller's IP address: wrong passwords are counted by it and by the account. Raise
    InvalidCredentials if the pair is wrong, and LimitReached after too many wrong ones.
    """
    identifier = identifier.replace("\0", "")  # PostgreSQL refuses it
    guess = _count_guess(account_key(identifier), address) if settings.THROTTLING else None
    user = authenticate(username=identifier, password=password)
    if user is None:
        raise InvalidCredentials
    if guess:
        guess.delete()
    return user


def confirm_password(user: User, password: str, *, address: str, field: str = "password") -> None:
    """Check the password of a user who is logged in. Raise ValidationError at `field` if it is wrong.

    Wrong ones count as they do at log-in: the token of the request may be stolen.
    """
    try:
        check_credentials(user.email or user.username, password, address=address)
    except InvalidCredentials as error:
        raise ValidationError({field: ValidationError("This is not your password.", "invalid_password")}) from error


def account_key(identifier: str) -> str:
    """Return a digest of the account that the identifier names, or of the identifier if it names none.

    So guesses at one account count together, by e-mail address and by username.
    """
    known = User.objects.known_as(identifier).values_list("pk", flat=True).first()
    return _digest(str(known) if known else fold_case(identifier))


def _count_guess(account: str, address: str) -> FailedLogin:
    """Store a guess as wrong and return it. Raise LimitReached if it exceeds the rates of the address or the pair."""
    now = timezone.now()
    rates = [settings.THROTTLE_RATES[name] for name in ("login_address", "login")]
    # Stored before the password is checked: guesses at the same moment see each other, and can't all pass the limit.
    guess = FailedLogin.objects.create(account=account, address=address, at=now)
    expired = now - timedelta(seconds=max(seconds for _, seconds in rates))
    FailedLogin.objects.filter(address=guess.address, at__lt=expired).delete()
    others = list(
        FailedLogin.objects.filter(address=guess.address)
        .exclude(pk=guess.pk)
        .order_by("at")
        .values_list("account", "at")
    )
    of_address = [at for _, at in others]
    of_pair = [at for guessed, at in others if guessed == account]
    for (limit, seconds), times in zip(rates, (of_address, of_pair), strict=True):
        # There is room again when the last guess but `limit` leaves the window.
        wait = times[-limit] + timedelta(seconds=seconds) - now if len(times) >= limit else timedelta(0)
        if wait > timedelta(0):
            guess.delete()
            raise LimitReached(wait=ceil(wait.total_seconds()))
    return guess


def failed_logins_of(user: User) -> QuerySet[FailedLogin]:
    """Return the stored wrong passwords for this account."""
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
    """Return a name that the owner recognises: "Firefox on Linux", or the program's own name ("curl/8.5")."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), None)
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    words = user_agent.replace("\0", "").split()
    return words[0][:100] if words else "unknown device"


def issue_token(user: User, *, user_agent: str) -> str:
    """Create a token for a device and return its text, of which only a digest is stored."""
    _, token = AuthToken.objects.create(user, device=device_name(user_agent))
    return token
