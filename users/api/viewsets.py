from django.contrib.auth import logout
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from core.db.base_model import UUID_REGEX
from core.http.addresses import address_of
from users.api import serializers
from users.email_change import confirm_email
from users.email_confirmation import request_change
from users.login import check_credentials, confirm_password, issue_token
from users.models import AuthToken, User
from users.passwords import lock_user_of_link, send_password_reset, set_password, set_password_by_link
from users.registration import check_password

# A token must not be stored by any cache.
NO_STORE = {"Cache-Control": "no-store"}


def issue_token_for(request: Request, user: User) -> str:
    return issue_token(user, user_agent=request.headers.get("User-Agent", ""))


def login_response(user: User, request: Request, status_code: int) -> Response:
    answer = serializers.SignedInSerializer({"token": issue_token_for(request, user), "user": user})
    return Response(answer.data, status=status_code, headers=NO_STORE)


class AccountViewSet(GenericViewSet):
    """Registration of listeners and artists."""

    serializer_class = serializers.RegistrationSerializer
    permission_classes = [AllowAny]
    # An expired token in the header must not keep its owner from getting a new one.
    authentication_classes: list[type] = []

    @extend_schema(responses={201: serializers.SignedInSerializer})
    def create(self, request: Request) -> Response:
        """Create an account and return a token for it."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return login_response(serializer.save(), request, status.HTTP_201_CREATED)

    def get_view_name(self) -> str:
        return "Register"


class LoginViewSet(GenericViewSet):
    """Log-in for programs and devices, by token. The pages of the browsable API have a log-in of their own."""

    serializer_class = serializers.LoginSerializer
    permission_classes = [AllowAny]
    # An expired token in the header must not keep its owner from getting a new one.
    authentication_classes = []

    @extend_schema(responses={200: serializers.SignedInSerializer})
    def create(self, request: Request) -> Response:
        """Log in with e-mail address (or username) and password, and return a token."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        user = check_credentials(data["email"], data["password"], address=address_of(request))
        return login_response(user, request, status.HTTP_200_OK)

    def get_view_name(self) -> str:
        return "Log in"

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"


class LogoutViewSet(GenericViewSet):
    permission_classes = [IsAuthenticated]
    serializer_class = Serializer

    @extend_schema(request=None, responses={204: None})
    def create(self, request: Request) -> Response:
        """Revoke the token of this request."""
        if request.auth:
            request.auth.delete()
        else:
            logout(request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def all(self, request: Request) -> Response:
        """Revoke every token of the caller, on all devices, and end browser sessions and signed addresses."""
        request.user.sign_out_everywhere()
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet):
    """Devices on which the caller is logged in. Each has a token of its own."""

    permission_classes = [IsAuthenticated]
    serializer_class = serializers.SessionSerializer
    lookup_value_regex = UUID_REGEX
    filter_backends: list[type] = []
    orderings = {"created_at": "created"}
    ordering = "-created_at"
    tie_breakers: dict[str, str] = {}

    def get_queryset(self) -> QuerySet[AuthToken]:
        return AuthToken.objects.filter(user=self.request.user.pk, expiry__gt=timezone.now())

    def list(self, request: Request) -> Response:
        """List the caller's devices, the newest log-in first."""
        return super().list(request)

    def destroy(self, request: Request, pk: str) -> Response:
        """Log a device out: its token stops working at once. The current device is allowed too."""
        return super().destroy(request, pk)


class FormViewSet(GenericViewSet):
    def _validated(self, request: Request) -> dict:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class EmailViewSet(FormViewSet):
    @extend_schema(responses={204: None})
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[IsAuthenticated],
        serializer_class=serializers.EmailChangeSerializer,
    )
    def change(self, request: Request) -> Response:
        """Request another e-mail address for the account. It changes once the link in the mail to it is opened.

        The old address gets a mail too, with a way to stop the change. The answer is the same if the new address
        already has an account. The account's own address, if not confirmed yet, gets another link.
        """
        data = self._validated(request)
        confirm_password(request.user, data["password"], address=address_of(request))
        request_change(request.user, data["email"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None})
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[AllowAny],
        authentication_classes=[],
        serializer_class=serializers.EmailVerificationSerializer,
    )
    def verify(self, request: Request) -> Response:
        """Confirm an address with the token from the mail. It works once, for a day. Devices stay logged in."""
        confirm_email(self._validated(request)["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordViewSet(FormViewSet):
    serializer_class = serializers.PasswordResetSerializer

    @extend_schema(responses={200: serializers.TokenSerializer})
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[IsAuthenticated],
        serializer_class=serializers.PasswordChangeSerializer,
    )
    def change(self, request: Request) -> Response:
        """Change the password. All tokens are revoked, and a new one is returned."""
        data = self._validated(request)
        confirm_password(request.user, data["old_password"], address=address_of(request), field="old_password")
        check_password(data["new_password"], request.user, field="new_password")
        set_password(request.user, data["new_password"])
        return Response({"token": issue_token_for(request, request.user)}, headers=NO_STORE)

    @extend_schema(responses={204: None})
    @action(
        detail=False,
        methods=["post"],
        name="Forgotten password",
        permission_classes=[AllowAny],
        authentication_classes=[],
    )
    def reset(self, request: Request) -> Response:
        """Request a mail with a link to set a new password. The answer is the same for unknown addresses."""
        send_password_reset.enqueue(self._validated(request)["email"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None})
    @action(
        detail=False,
        methods=["post"],
        url_path="reset/confirm",
        permission_classes=[AllowAny],
        authentication_classes=[],
        serializer_class=serializers.PasswordResetConfirmSerializer,
    )
    def reset_confirm(self, request: Request) -> Response:
        """Set a new password with `uid` and `token` from the link in the mail. All tokens are revoked."""
        data = self._validated(request)
        with transaction.atomic():
            user = lock_user_of_link(data["uid"], data["token"])
            check_password(data["new_password"], user, field="new_password")
            set_password_by_link(user, data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)
