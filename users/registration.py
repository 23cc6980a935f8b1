"""Registration, and the rules for e-mail addresses, usernames and passwords."""

import re
import unicodedata
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from core.folding import fold_address, fold_case
from core.text import is_visible
from users.email_confirmation import send_confirmation
from users.models import User


def register(*, email: str, password: str, username: str = "", **fields: Any) -> User:
    """Create an account from validated fields; without a username, one is made from the address.

    Raise ValidationError if another request took the address or the username a moment ago.
    """
    chosen = username or free_username(email.partition("@")[0])
    try:
        with transaction.atomic():
            if not settings.EMAIL_VERIFICATION:
                return User.objects.create_user(email, chosen, password, **fields)
            user = User.objects.create_user(email, chosen, password, email_confirmed_at=None, **fields)
            send_confirmation.enqueue(str(user.pk), user.email)
            return user
    except IntegrityError as error:
        if User.objects.known_as(email).exists():
            raise ValidationError({"email": email_taken()}) from error
        if username:
            raise ValidationError({"username": username_taken()}) from error
        if not User.objects.filter(username_key=chosen).exists():
            raise
    # Only the made-up username was taken: make another.
    return register(email=email, password=password, **fields)


def check_email(email: str, *, owner: User | None = None) -> None:
    if User.objects.known_as(email).exclude(pk=owner and owner.pk).exists():
        raise email_taken()


def check_password(password: str, user: User, *, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from error


def check_username(username: str, *, email: str | None, owner: User | None = None) -> None:
    """Raise ValidationError if the username is malformed, misleading or taken."""
    for validator in User._meta.get_field("username").validators:
        validator(username)
    if not all(map(is_visible, username)):  # Unicode has letters without any shape
        raise ValidationError(UnicodeUsernameValidator.message, "invalid")
    # Log-in reads a name with @ as an address. One that is another account's address would be ambiguous.
    if "@" in username and fold_address(username) != fold_address(email or ""):
        raise ValidationError("A username with @ in it must be the account's own e-mail address.", "invalid")
    if User.objects.filter(username_key=fold_case(username)).exclude(pk=owner and owner.pk).exists():
        raise username_taken()


def email_taken() -> ValidationError:
    return ValidationError("There is already an account with this e-mail address.", "unique")


def username_taken() -> ValidationError:
    return ValidationError("This username is taken.", "unique")


def username_base(text: str) -> str:
    """Return the text reduced to characters of a username: "Beyoncé Knowles" gives "beyonce.knowles"."""
    plain = unicodedata.normalize("NFKD", fold_case(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._+-]+", ".", plain).strip(".")[:100] or "listener"


def free_username(text: str) -> str:
    """Return a username made from the text that is not taken, with a number or random letters if it has to be."""
    base = username_base(text)
    endings = chain([""], (str(number) for number in range(2, 10)), iter(lambda: get_random_string(8).lower(), None))
    return next(
        candidate
        for candidate in (base + ending for ending in endings)
        if not User.objects.filter(username_key=candidate).exists()
    )
