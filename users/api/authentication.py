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
    """Finds token and user by the token's digest, in one indexed query. Nothing is cached: revoking works at once."""

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        if mistake := describe_mistake(get_authorization_header(request)):
            raise AuthenticationFailed(mistake)
        return super().authenticate(request)

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        params = {"digest": hash_token(token.decode("utf-8", "replace")), "now": timezone.now()}
        row = TOKENS.first("valid", _with_user, params)
        if row is None:
            raise AuthenticationFailed("This token is unknown, has expired or was revoked. Log in again.")
        auth_token = AuthToken.from_db(DEFAULT_DB_ALIAS, TOKEN_FIELDS, row[: len(TOKEN_FIELDS)])
        auth_token.user = User.from_db(DEFAULT_DB_ALIAS, USER_FIELDS, row[len(TOKEN_FIELDS) :])
        auth_token.note_use()
        return auth_token.user, auth_token


HOW_TO_SEND = "Send the header as `Authorization: Token <token>`, with a token from POST /api/login."


def describe_mistake(header: bytes) -> str | None:
    """Return what is wrong with the header, or None. Schemes such as Basic are for a proxy, and no mistake."""
    scheme, *rest = header.split() or [b""]
    match scheme.lower(), len(rest):
        case b"token", 1:
            return None
        case b"token", 0:
            return f"The token is missing after the word Token. {HOW_TO_SEND}"
        case b"token", _:
            return f"A token contains no spaces. {HOW_TO_SEND}"
        case b"bearer", _:
            return f"The scheme is Token, not Bearer. {HOW_TO_SEND}"
        case b"", _:
            return None
        case _, 0:
            return f"The word Token is missing before the token. {HOW_TO_SEND}"
    return None


TOKEN_FIELDS = [field.attname for field in AuthToken._meta.concrete_fields]
USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
TOKENS = CompiledQuery(AuthToken.objects.filter(user__is_active=True))


def _with_user(tokens: QuerySet[AuthToken]) -> QuerySet:
    valid = tokens.filter(digest=Param("digest", CharField()), expiry__gt=Param("now", DateTimeField()))
    return valid.values_list(*TOKEN_FIELDS, *(f"user__{name}" for name in USER_FIELDS), named=True)
