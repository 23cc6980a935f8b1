"""Token authentication of the API: `Authorization: Token …`."""

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, DateTimeField, QuerySet
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.db.compiled import CompiledQuery, Param
from users.models import AuthToken, User


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token …`, found by its digest in one indexed query; a revoked token stops at once."""

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        if mistake := mistake_in(get_authorization_header(request)):
            raise AuthenticationFailed(mistake)
        return super().authenticate(request)

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        given = {"digest": hash_token(token.decode("utf-8", "replace")), "now": timezone.now()}
        found = TOKENS.first("valid", _with_account, given)
        if found is None:
            raise AuthenticationFailed("This token is unknown, has ended or was revoked. Log in again.")
        known = AuthToken.from_db(DEFAULT_DB_ALIAS, OF_TOKEN, found[: len(OF_TOKEN)])
        known.user = User.from_db(DEFAULT_DB_ALIAS, OF_USER, found[len(OF_TOKEN) :])
        known.note_use()
        return known.user, known


HOW_TO_SEND = "Send the header as `Authorization: Token <token>`, with the token that POST /api/login answers."


def mistake_in(header: bytes) -> str | None:
    """Say what is wrong with the header. Other schemes than Bearer, such as Basic, are for a proxy and left alone."""
    scheme, *rest = header.split() or [b""]
    match scheme.lower(), len(rest):
        case b"token", 1:
            return None
        case b"token", 0:
            return f"The token is missing after the word Token. {HOW_TO_SEND}"
        case b"token", _:
            return f"A token has no spaces in it. {HOW_TO_SEND}"
        case b"bearer", _:
            return f"The scheme is Token here, not Bearer. {HOW_TO_SEND}"
        case b"", _:
            return None
        case _, 0:
            return f"The word Token is missing before the token. {HOW_TO_SEND}"
    return None


OF_TOKEN = [field.attname for field in AuthToken._meta.concrete_fields]
OF_USER = [field.attname for field in User._meta.concrete_fields]
TOKENS = CompiledQuery(AuthToken.objects.filter(user__is_active=True))


def _with_account(tokens: QuerySet[AuthToken]) -> QuerySet:
    valid = tokens.filter(digest=Param("digest", CharField()), expiry__gt=Param("now", DateTimeField()))
    return valid.values_list(*OF_TOKEN, *(f"user__{name}" for name in OF_USER), named=True)
