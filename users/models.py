import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from knox.models import AbstractAuthToken, AuthTokenManager
from knox.settings import knox_settings

from core.db.base_model import UUIDModel
from core.folding import FoldedField, fold_accents, fold_address, fold_case
from core.storage import stored_files
from core.text import NameField
from users.people import public_name, public_username


class Role(models.TextChoices):
    USER = "user"
    ARTIST = "artist"


class AudioQuality(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class UserQuerySet(models.QuerySet):
    def known_as(self, identifier: str) -> Self:
        """Filter for the account with this e-mail address or username, ignoring case."""
        key = fold_case(identifier)
        return self.filter(email_key=fold_address(identifier)) if "@" in key else self.filter(username_key=key)

    def artists(self) -> Self:
        """Filter for artists whose account is not suspended."""
        return self.filter(role=Role.ARTIST, is_active=True)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address without soft hyphens, which are invisible, and with its domain in lower case."""
        return super().normalize_email(email).replace("\u00ad", "")

    def create_user(self, email: str | None, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account with its profile. `name` defaults to the username, cut before an @."""
        user = self.model(email=email and self.normalize_email(email), username=username, **fields)
        user.name = user.name or public_username(username)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            UserProfile.objects.using(self._db).create(user=user)
        return user

    def create_superuser(self, email: str, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, username, password, is_staff=True, is_superuser=True, **fields)


class User(UUIDModel, AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # knox's is untyped
    # Null for accounts that an import created and that nobody has claimed yet.
    email = models.EmailField(unique=True, null=True, blank=True)
    email_key = FoldedField(source="email", fold=fold_address, unique=True, null=True)
    # Null until the address is confirmed. While EMAIL_VERIFICATION is off, addresses count as confirmed at once.
    email_confirmed_at = models.DateTimeField(null=True, blank=True, default=timezone.now, db_default=Now())
    username = NameField(max_length=150, unique=True, validators=[UnicodeUsernameValidator()])
    username_key = FoldedField(source="username", unique=True)
    name = NameField(max_length=200, blank=True, help_text="What others read. Any script, spaces and all.")
    name_folded = FoldedField(source="name", fold=fold_accents, db_index=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    is_staff = models.BooleanField(default=False, help_text="May enter the admin.")
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Off suspends the account: nobody can log in to it, and its works disappear from others.",
    )
    date_joined = models.DateTimeField(default=timezone.now)
    # When all devices were last logged out at once. Browser sessions and signed addresses from before are void.
    signed_out_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UserManager()
    auth_token_set: "models.Manager[AuthToken]"

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["username"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="role_is_known"),
        ]
        # Partial indexes: with one that begins with the role, SQLite reads every artist to find a few by id.
        indexes = [
            models.Index(fields=[key, "id"], condition=models.Q(role=Role.ARTIST), name=f"artists_by_{key}")
            for key in ("date_joined", "name_folded")
        ]

    def __str__(self) -> str:
        return self.name or public_username(self.username)

    @property
    def is_artist(self) -> bool:
        return self.role == Role.ARTIST

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Here and not in a view, because passwords also change in the admin and on the command line.
        has_new_password = self._password is not None  # type: ignore[attr-defined]
        self.name = public_name(self.name)
        with transaction.atomic():
            is_new = self._state.adding
            super().save(*args, **kwargs)
            if has_new_password and not is_new:
                self.sign_out_everywhere()

    def sign_out_everywhere(self) -> None:
        """End every token, browser session and signed address of the account."""
        with transaction.atomic():
            self.signed_out_at = timezone.now()
            User.objects.filter(pk=self.pk).update(signed_out_at=self.signed_out_at)
            AuthToken.objects.filter(user=self).delete()

    def get_session_auth_hash(self) -> str:
        """Return Django's hash, by which each request checks its session, with `sign_out_mark` added."""
        return super().get_session_auth_hash() + self.sign_out_mark

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return (password_hash + self.sign_out_mark for password_hash in super().get_session_auth_fallback_hash())

    @property
    def sign_out_mark(self) -> str:
        """Return the value in sessions and signed addresses that changes when all devices are logged out."""
        return self.signed_out_at.isoformat() if self.signed_out_at else ""

    def get_short_name(self) -> str:
        return str(self)

    def delete_account(self) -> None:
        """Delete the account and all rows that it owns. `account_closing` is sent first; files go after commit."""
        with transaction.atomic():
            # FOR UPDATE, unlike `lock_user`: another transaction that adds a row of this user has to wait, and then
            # finds that the account is gone.
            User.objects.select_for_update().filter(pk=self.pk).first()
            self.delete()


def picture_key(profile: "UserProfile", filename: str) -> str:
    return stored_files.make_key("pictures", filename)


class UserProfile(UUIDModel):
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    profile_picture = models.ImageField(upload_to=picture_key, blank=True)
    audio_quality = models.CharField(max_length=10, choices=AudioQuality, default=AudioQuality.MEDIUM)
    offline_mode = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"Profile of {self.user}"


class AuthToken(AbstractAuthToken):
    """A token of one device. Only its digest is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    device = models.CharField(max_length=100)
    last_used_at = models.DateTimeField(default=timezone.now)

    objects = AuthTokenManager()

    class Meta:
        ordering = ["-last_used_at"]

    def __str__(self) -> str:
        return self.device

    def note_use(self) -> None:
        """Extend the token's expiry, at most once an hour: otherwise every request would write."""
        now = timezone.now()
        if now - self.last_used_at < timedelta(seconds=knox_settings.MIN_REFRESH_INTERVAL):
            return
        self.last_used_at, self.expiry = now, now + knox_settings.TOKEN_TTL
        # update() and not save(), which would insert a token again that was revoked meanwhile.
        AuthToken.objects.filter(pk=self.pk).update(last_used_at=self.last_used_at, expiry=self.expiry)


class FailedLogin(models.Model):
    """A wrong password: a digest of the account it was for, and the IP address it came from. It counts for a minute."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["address", "at"], name="failed_logins_of_address")]

    def __str__(self) -> str:
        return f"{self.address} {self.at:%Y-%m-%d %H:%M:%S}"


class SentMail(models.Model):
    """A mail that a request caused, with a keyed digest of its address. It counts for a day."""

    address = models.CharField(max_length=64)
    # SET_NULL: deleting the account must not reset the limit of the address.
    sender = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["address", "at"], name="sent_mails_to_address"),
            models.Index(fields=["sender", "at"], name="sent_mails_of_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
