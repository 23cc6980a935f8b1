from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from core.admin.pages import AdminPages, ReasonField, check_reason, reason_text
from users.models import AuthToken, User, UserProfile
from users.passwords import send_password_reset
from users.people import public_username
from users.registration import check_email, check_username
from users.signals import email_changed

# Fields by which admins could give rights to themselves or others.
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


def is_reserved_for_superusers(user: User | None, request: HttpRequest) -> bool:
    """Return whether only a superuser may change this account, and the caller is none."""
    return user is not None and not request.user.is_superuser and (user.is_staff or user.is_superuser)


def changeable_by(request: HttpRequest, users: QuerySet) -> QuerySet:
    """Return the users that the caller may change: without staff, unless the caller is a superuser."""
    return users if request.user.is_superuser else users.exclude(Q(is_staff=True) | Q(is_superuser=True))


class SuperusersChangeStaff:
    """Mixin for a ModelAdmin of accounts: only superusers change or delete staff, or make an account staff."""

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not is_reserved_for_superusers(obj, request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not is_reserved_for_superusers(obj, request) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        readonly = list(super().get_readonly_fields(request, obj))
        return readonly if request.user.is_superuser else [*readonly, *PRIVILEGES]


class ProfileInline(admin.StackedInline):
    model = UserProfile
    can_delete = False
    # Not editable here: pictures are checked and re-encoded by the API.
    exclude = ["profile_picture"]
    readonly_fields = ["picture"]

    @admin.display(description="picture")
    def picture(self, profile: UserProfile) -> str:
        if not profile.profile_picture:
            return "none"
        return format_html('<img src="/media/{}" alt="" style="max-height: 120px">', profile.profile_picture.name)


class UniqueAccountForm(ModelForm):
    """Checks e-mail address and username as registration does. An empty address is stored as null."""

    def clean_email(self) -> str | None:
        email = User.objects.normalize_email(self.cleaned_data["email"]) or None
        if email:
            check_email(email, owner=self.instance)
        return email

    def clean_username(self) -> str:
        username = self.cleaned_data["username"]
        check_username(username, email=self.cleaned_data.get("email"), owner=self.instance)
        return username


class AccountForm(UniqueAccountForm, UserChangeForm):
    reason = ReasonField("suspend an account")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_suspended = "is_active" in self.changed_data and not self.cleaned_data.get("is_active", True)
        check_reason(self, is_taken=is_suspended)
        return cleaned


class NewAccountForm(UniqueAccountForm, AdminUserCreationForm):
    pass


class UserAdmin(SuperusersChangeStaff, AdminPages, DjangoUserAdmin):
    """Admin of accounts. Spotify_Clone/admin.py registers it, with data of the apps above."""

    form = AccountForm
    add_form = NewAccountForm
    inlines = [ProfileInline]
    list_display = ["username", "name", "email", "role", "is_active", "is_staff", "date_joined"]
    list_filter = ["role", "is_active", "is_staff", ("email", admin.EmptyFieldListFilter), "date_joined"]
    search_fields = ["username", "name", "name_folded", "email"]
    ordering = ["-date_joined"]
    asks_why_deleted = False  # the log of a deleted account is anonymised, and its reason would be lost
    actions = ["suspend", "reinstate"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "username", "name", "role", "password"]}),
        (
            "Rights",
            {"fields": ["is_active", "reason", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        ("Dates", {"fields": ["last_login", "date_joined", "email_confirmed_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "username", "name", "role", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        has_new_email = change and "email" in form.changed_data
        is_claimed = has_new_email and user.email and not form.initial.get("email")
        user.name = user.name or public_username(user.username)
        if has_new_email:
            user.email_confirmed_at = timezone.now()  # the admin answers for the address
        if change:
            user.save()
        else:
            super().save_model(request, user, form, change)
            UserProfile.objects.create(user=user)
        if has_new_email:
            email_changed.send(User, user=user)
        if is_claimed:
            send_password_reset.enqueue(user.email)
            messages.success(request, f"{user} now has an owner: a link to set a password was sent to {user.email}.")

    @admin.action(description="Suspend the selected accounts", permissions=["change"])
    def suspend(self, request: HttpRequest, users: QuerySet) -> HttpResponse | None:
        users = changeable_by(request, users)
        answer = self.ask_why(
            request,
            users,
            action="suspend",
            title="Suspend accounts",
            explanation="Nobody can log in to them, their devices are logged out, and others don't see their works.",
        )
        if not isinstance(answer, str):
            return answer
        others = users.exclude(pk=request.user.pk).filter(is_active=True)
        entry = f"Suspended. {reason_text(answer)}"
        changed = self.act(request, others, entry, lambda rows: rows.update(is_active=False))
        messages.success(
            request, f"Suspended: {len(changed)}. Their tokens have stopped working, and their works are hidden."
        )
        return None

    @admin.action(description="Reinstate the selected accounts", permissions=["change"])
    def reinstate(self, request: HttpRequest, users: QuerySet) -> None:
        users = changeable_by(request, users)
        if self.are_too_many(request, users):
            return
        suspended = users.filter(is_active=False)
        changed = self.act(request, suspended, "Reinstated.", lambda rows: rows.update(is_active=True))
        messages.success(request, f"Reinstated: {len(changed)}.")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list:
        return self.inlines if obj else []


@admin.register(AuthToken)
class AuthTokenAdmin(AdminPages):
    list_display = ["user", "device", "created", "last_used_at", "expiry"]
    search_fields = ["user__username", "user__email", "device"]
    list_select_related = ["user"]
    readonly_fields = fields = ["user", "device", "created", "last_used_at", "expiry"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuthToken | None = None) -> bool:
        reserved = obj is not None and is_reserved_for_superusers(obj.user, request)
        return not reserved and super().has_delete_permission(request, obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Admin of groups, which give permissions. So only superusers change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser
