from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from core.text import clean_text
from users.models import AuthToken, Role, User
from users.people import public_json
from users.registration import check_email, check_username, register


class NameField(serializers.CharField):
    """A name or title, cleaned by `clean_text`. It must have a visible character, even where blank is allowed."""

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        for validate in (ProhibitNullCharactersValidator(), ProhibitSurrogateCharactersValidator()):
            validate(value)
        text = clean_text(value)
        if not text:
            self.fail("blank")
        return text


class UploadField(serializers.FileField):
    """An uploaded file. The empty text that browsers send for an unused file input counts as not sent."""

    def __init__(self, **kwargs: Any):
        # Empty files are allowed here, so that the checks of the content give their own error for them.
        super().__init__(allow_empty_file=True, **kwargs)

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return serializers.empty if value == "" else value


class UserSerializer(serializers.ModelSerializer):
    """An account, as its owner sees it."""

    class Meta:
        model = User
        fields = ["id", "email", "username", "name", "role", "date_joined"]


class PersonSerializer(serializers.ModelSerializer):
    """An account, as others see it. Every answer that names another user has this shape."""

    class Meta:
        model = User
        fields = ["id", "username", "name"]

    def to_representation(self, user: User) -> dict[str, Any]:
        return public_json(user.pk, user.username, user.name)


class RegistrationSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        max_length=128,
        trim_whitespace=False,
        style={"input_type": "password", "autocomplete": "new-password"},
    )
    username = NameField(max_length=150, required=False, allow_blank=True)
    name = NameField(max_length=200, required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.USER)

    def validate_email(self, email: str) -> str:
        check_email(email)
        return email

    def validate_username(self, username: str) -> str:
        if username:
            check_username(username, email=self._raw("email"))
        return username

    def validate_password(self, password: str) -> str:
        validate_password(password, User(email=self._raw("email"), username=self._raw("username")))
        return password

    def _raw(self, field: str) -> str:
        """Return a field as it was sent, to compare another field with. It may be invalid itself."""
        return str(self.initial_data.get(field) or "").strip()[:254]

    def create(self, validated_data: dict[str, Any]) -> User:
        return register(**validated_data)


class LoginSerializer(serializers.Serializer):
    email = serializers.CharField(max_length=254, help_text="The e-mail address, or the username.")
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class SignedInSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Token <token>`. It is shown only this once.")
    user = UserSerializer()


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


class PasswordChangeSerializer(serializers.Serializer):
    old_password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})
    new_password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class PasswordResetSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)


class PasswordResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=100)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class AccountDeletionSerializer(serializers.Serializer):
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class EmailChangeSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class EmailVerificationSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=1000)


class SessionSerializer(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(source="created")
    last_used_at = serializers.DateTimeField(help_text="Accurate to the hour.")
    current = serializers.SerializerMethodField(help_text="Whether this request was sent with its token.")

    class Meta:
        model = AuthToken
        fields = ["id", "device", "created_at", "last_used_at", "current"]

    def get_current(self, token: AuthToken) -> bool:
        current = self.context["request"].auth
        return current is not None and current.pk == token.pk
