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
    """A new account, of fields that were checked; a username is made from the address where none is given."""
    chosen = username or free_username(email.partition("@")[0])
    try:
        with transaction.atomic():
            return _new_account(email, chosen, password, **fields)
    except IntegrityError as error:  # somebody else took the address or the name a moment ago
        if User.objects.known_as(email).exists():
            raise ValidationError({"email": email_taken()}) from error
        if username:
            raise ValidationError({"username": username_taken()}) from error
        if not User.objects.filter(username_key=chosen).exists():
            raise
    return register(email=email, password=password, **fields)


def _new_account(email: str, username: str, password: str, **fields: Any) -> User:
    if not settings.EMAIL_VERIFICATION:
        return User.objects.create_user(email, username, password, **fields)
    user = User.objects.create_user(email, username, password, email_confirmed_at=None, **fields)
    send_confirmation.enqueue(str(user.pk), user.email)
    return user


def check_email(email: str, *, owner: User | None = None) -> None:
    if User.objects.known_as(email).exclude(pk=owner and owner.pk).exists():
        raise email_taken()


def check_password(password: str, user: User, *, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from error


def check_username(username: str, *, email: str | None, owner: User | None = None) -> None:
    """Raises ValidationError where it is malformed, misleading or taken."""
    for validator in User._meta.get_field("username").validators:
        validator(username)
    if not all(map(is_visible, username)):  # Unicode has letters that look like nothing
        raise ValidationError(UnicodeUsernameValidator.message, "invalid")
    # Else somebody could be asked for the password of another's address, and answer it.
    if "@" in username and fold_address(username) != fold_address(email or ""):
        raise ValidationError("A username with @ in it must be the account's own e-mail address.", "invalid")
    if User.objects.filter(username_key=fold_case(username)).exclude(pk=owner and owner.pk).exists():
        raise username_taken()


def email_taken() -> ValidationError:
    return ValidationError("There is an account with this e-mail address.", "unique")


def username_taken() -> ValidationError:
    return ValidationError("This username is taken.", "unique")


def username_base(text: str) -> str:
    """What of a text may stand in a username: "Beyoncé Knowles" gives "beyonce.knowles"."""
    plain = unicodedata.normalize("NFKD", fold_case(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._+-]+", ".", plain).strip(".")[:100] or "listener"


def free_username(text: str) -> str:
    base = username_base(text)
    endings = chain([""], (str(number) for number in range(2, 10)), iter(lambda: get_random_string(8).lower(), None))
    return next(
        candidate
        for candidate in (base + ending for ending in endings)
        if not User.objects.filter(username_key=candidate).exists()
    )
