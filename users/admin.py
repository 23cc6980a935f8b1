from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from users.models import AuthToken, User, UserProfile
from users.passwords import send_password_reset
from users.registration import check_email, check_username
from users.signals import email_changed


class ProfileInline(admin.StackedInline):
    model = UserProfile
    can_delete = False
    # A picture is checked and re-encoded where its owner uploads it.
    exclude = ["profile_picture"]
    readonly_fields = ["picture"]

    @admin.display(description="picture")
    def picture(self, profile: UserProfile) -> str:
        if not profile.profile_picture:
            return "none"
        return format_html('<img src="/media/{}" alt="" style="max-height: 120px">', profile.profile_picture.name)


class UniqueAccountForm(ModelForm):
    """Unique whatever the case; an empty address is none, and collides with no other."""

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
    pass


class NewAccountForm(UniqueAccountForm, AdminUserCreationForm):
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    inlines = [ProfileInline]
    list_display = ["username", "name", "email", "role", "is_active", "is_staff", "date_joined"]
    list_filter = ["role", "is_active", "is_staff", ("email", admin.EmptyFieldListFilter)]
    search_fields = ["username", "name", "name_folded", "email"]
    ordering = ["-date_joined"]
    date_hierarchy = "date_joined"
    actions = ["suspend", "reinstate"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "username", "name", "role", "password"]}),
        (
            "What they may do",
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        ("Dates", {"fields": ["last_login", "date_joined", "email_confirmed_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "username", "name", "role", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        has_new_email = change and "email" in form.changed_data
        claimed = has_new_email and user.email and not form.initial.get("email")
        user.name = user.name or user.username
        if has_new_email:
            user.email_confirmed_at = timezone.now()  # the admin vouches for it
        if change:
            user.rename(user.name)
        else:
            super().save_model(request, user, form, change)
            UserProfile.objects.create(user=user)
        if has_new_email:
            email_changed.send(User, user=user)
        if claimed:
            send_password_reset.enqueue(user.email)
            messages.success(request, f"{user} is handed over: a link to set a password was sent to {user.email}.")

    @admin.action(description="Suspend the selected accounts")
    def suspend(self, request: HttpRequest, users: QuerySet) -> None:
        changed = users.exclude(pk=request.user.pk).update(is_active=False)
        messages.success(request, f"Suspended: {changed}. Their tokens have stopped and their works are out of sight.")

    @admin.action(description="Reinstate the selected accounts")
    def reinstate(self, request: HttpRequest, users: QuerySet) -> None:
        messages.success(request, f"Reinstated: {users.update(is_active=True)}.")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list:
        return self.inlines if obj else []


@admin.register(AuthToken)
class AuthTokenAdmin(admin.ModelAdmin):
    list_display = ["user", "device", "created", "last_used_at", "expiry"]
    search_fields = ["user__username", "user__email", "device"]
    list_select_related = ["user"]
    readonly_fields = fields = ["user", "device", "created", "last_used_at", "expiry"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
