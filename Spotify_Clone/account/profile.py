"""The caller's profile: account, preferences, subscription and features of the plan."""

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError as DomainError
from django.db import IntegrityError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.http.addresses import address_of
from core.storage.stored_files import save_with_file
from music.catalogue.api.fields import ImageURLField, UploadedImageField, YesNoField
from payments.api.serializers import FeaturesSerializer, SubscriptionSummarySerializer
from payments.plans import entitlements_of
from users.api.serializers import AccountDeletionSerializer, NameField, UserSerializer
from users.login import confirm_password
from users.models import AudioQuality, Role, User, UserProfile
from users.registration import check_username, username_taken


class ProfileSerializer(serializers.ModelSerializer):
    user = UserSerializer()
    profile_picture = ImageURLField()
    subscription = SubscriptionSummarySerializer(source="user")
    features = FeaturesSerializer(source="user")

    class Meta:
        model = UserProfile
        fields = ["user", "profile_picture", "audio_quality", "offline_mode", "subscription", "features"]


class ProfileWriteSerializer(serializers.Serializer):
    username = NameField(max_length=150, required=False)
    name = NameField(max_length=200, required=False, help_text="What others read.")
    profile_picture = UploadedImageField(required=False, help_text="JPEG, PNG, GIF or WebP, up to 10 MB.")
    audio_quality = serializers.ChoiceField(choices=AudioQuality.choices, required=False)
    offline_mode = YesNoField(required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)

    def to_representation(self, profile: UserProfile) -> dict[str, Any]:
        user = profile.user
        return {
            "username": user.username,
            "name": user.name,
            "audio_quality": profile.audio_quality,
            "offline_mode": profile.offline_mode,
            "role": user.role,
        }

    def validate_username(self, username: str) -> str:
        user = self.instance.user
        check_username(username, email=user.email, owner=user)
        return username

    def validate_role(self, role: str) -> str:
        user: User = self.instance.user
        if role == Role.USER and (user.songs.exists() or user.albums.exists()):
            raise serializers.ValidationError("Delete your songs and albums first, or stay an artist.", "has_works")
        return role

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        allowed = entitlements_of(self.instance.user)
        quality = list(AudioQuality)
        too_high = quality.index(given.get("audio_quality", AudioQuality.LOW)) > quality.index(allowed.audio_quality)
        if too_high or (given.get("offline_mode") and not allowed.offline_mode):
            raise PermissionDenied("Your plan does not include this. Subscribe to have it.", "subscription_required")
        return given

    def update(self, profile: UserProfile, given: dict[str, Any]) -> UserProfile:
        account_values = {name: given.pop(name) for name in ("username", "name", "role") if name in given}
        change = partial(self._change_account, profile.user, **account_values)
        try:
            return save_with_file(profile, "profile_picture", change, **given)
        except IntegrityError as error:  # another account took the username since it was validated
            raise DomainError({"username": username_taken()}) from error

    def _change_account(self, user: User, **given: Any) -> None:
        if not given:
            return
        # Read the row again under a lock: saving the one from the start of the request would undo changes since then
        # (a new password, a suspension).
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
        for name, value in given.items():
            setattr(user, name, value)
        user.save()


class ProfileViewSet(GenericViewSet):
    is_single = True
    permission_classes = [IsAuthenticated]
    serializer_class = ProfileSerializer

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action == "destroy":
            return AccountDeletionSerializer
        return ProfileWriteSerializer if self.action in ("update", "partial_update") else ProfileSerializer

    def get_object(self) -> UserProfile:
        return UserProfile.objects.select_related("user").get(user=self.request.user)

    def retrieve(self, request: Request) -> Response:
        return Response(self._as_read(self.get_object()))

    @extend_schema(request=ProfileWriteSerializer, responses=ProfileSerializer)
    def update(self, request: Request) -> Response:
        """Change the caller's profile. Fields that are not sent keep their values."""
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(self._as_read(serializer.save()))

    @extend_schema(request=ProfileWriteSerializer, responses=ProfileSerializer)
    def partial_update(self, request: Request) -> Response:
        """Change the caller's profile. Fields that are not sent keep their values."""
        return self.update(request)

    @extend_schema(request=AccountDeletionSerializer, responses={204: None})
    def destroy(self, request: Request) -> Response:
        """Delete the account with everything that it owns, files included. It cannot be undone."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        confirm_password(request.user, serializer.validated_data["password"], address=address_of(request))
        request.user.delete_account()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _as_read(self, profile: UserProfile) -> dict[str, Any]:
        return ProfileSerializer(profile, context=self.get_serializer_context()).data
