import re
import unicodedata
from itertools import chain
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from users.folding import fold_case
from users.models import User


def register(*, email: str, password: str, username: str = "", **fields: Any) -> User:
    """A new account; ValidationError names every field that stands in the way."""
    username = username or free_username(email.partition("@")[0])
    person = User(email=email, username=username, name=fields.get("name") or username)
    problems: dict[str, Any] = {}
    for check in (
        lambda: check_email(email),
        lambda: check_username(username, email=email),
        lambda: check_password(password, person),
    ):
        try:
            check()
        except ValidationError as error:
            problems |= error.error_dict
    if problems:
        raise ValidationError(problems)
    try:
        with transaction.atomic():
            return User.objects.create_user(email, username, password, **fields)
    except IntegrityError as error:  # somebody else took the address or the name a moment ago
        raise (email_taken() if User.objects.known_as(email).exists() else username_taken()) from error


def check_email(email: str) -> None:
    if User.objects.known_as(email).exists():
        raise email_taken()


def check_password(password: str, user: User, *, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from error


def check_username(username: str, *, email: str | None, owner: User | None = None) -> None:
    """Raises ValidationError on `username` where it is malformed, misleading or taken."""
    for validator in User._meta.get_field("username").validators:
        try:
            validator(username)
        except ValidationError as error:
            raise ValidationError({"username": error}) from error
    # Else somebody could be asked for the password of another's address, and answer it.
    if "@" in username and fold_case(username) != fold_case(email or ""):
        message = "A username with @ in it must be the account's own e-mail address."
        raise ValidationError({"username": ValidationError(message, "invalid")})
    if User.objects.filter(username_key=fold_case(username)).exclude(pk=owner and owner.pk).exists():
        raise username_taken()


def email_taken() -> ValidationError:
    return ValidationError(
        {"email": ValidationError("There is an account with this e-mail address.", "unique")}
    )


def username_taken() -> ValidationError:
    return ValidationError({"username": ValidationError("This username is taken.", "unique")})


def username_base(text: str) -> str:
    """What of a text may stand in a username: "Beyoncé Knowles" gives "beyonce.knowles"."""
    plain = unicodedata.normalize("NFKD", fold_case(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._+-]+", ".", plain).strip(".")[:100] or "listener"


def free_username(text: str) -> str:
    base = username_base(text)
    endings = chain(
        [""], (str(number) for number in range(2, 10)), iter(lambda: get_random_string(8).lower(), None)
    )
    return next(
        candidate
        for candidate in (base + ending for ending in endings)
        if not User.objects.filter(username_key=candidate).exists()
    )
