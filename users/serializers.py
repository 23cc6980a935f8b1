from typing import Any

from rest_framework import serializers

from users.models import Role, User
from users.registration import register


class UserSerializer(serializers.ModelSerializer):
    """An account as its owner sees it."""

    class Meta:
        model = User
        fields = ["id", "email", "username", "name", "role", "date_joined"]


class RegistrationSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        max_length=128,
        trim_whitespace=False,
        style={"input_type": "password", "autocomplete": "new-password"},
    )
    username = serializers.CharField(max_length=150, required=False, allow_blank=True)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.USER)

    def create(self, validated_data: dict[str, Any]) -> User:
        return register(**validated_data)


class LoginSerializer(serializers.Serializer):
    email = serializers.CharField(max_length=254, help_text="The e-mail address; the username works too.")
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class SignedInSerializer(serializers.Serializer):
    token = serializers.CharField(
        help_text="Send it as `Authorization: Token <token>`. It is shown only now."
    )
    user = UserSerializer()


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


class PasswordChangeSerializer(serializers.Serializer):
    old_password = serializers.CharField(
        max_length=128, trim_whitespace=False, style={"input_type": "password"}
    )
    new_password = serializers.CharField(
        max_length=128, trim_whitespace=False, style={"input_type": "password"}
    )


class PasswordResetSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)


class PasswordResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=100)
    new_password = serializers.CharField(
        max_length=128, trim_whitespace=False, style={"input_type": "password"}
    )


class AccountDeletionSerializer(serializers.Serializer):
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})
