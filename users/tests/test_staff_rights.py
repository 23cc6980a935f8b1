"""Staff with the right to change accounts can't reach accounts or rights of superusers, on any admin page."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from conftest import PASSWORD
from users.models import AuthToken, User
from users.tests.test_user_admin import NEW, change_page, form_of

pytestmark = pytest.mark.django_db

USERS = reverse("admin:users_user_changelist")
NEW_PASSWORD = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
PRIVILEGES = {"is_staff": "on", "is_superuser": "on"}


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss@example.com", "boss", PASSWORD)


@pytest.fixture
def clerk(make_user):
    """Return a staff account with all permissions for accounts, tokens and groups, and no superuser."""
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["users", "auth"]))
    return clerk


@pytest.fixture
def colleague(make_user):
    return make_user("colleague", is_staff=True)


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def rights_of(user):
    user = User.objects.get(pk=user.pk)
    return user.is_staff, user.is_superuser, user.groups.count(), user.user_permissions.count()


def test_staff_can_change_listeners(desk, listener):
    assert desk.post(change_page(listener), form_of(listener, name="Renamed")).status_code == 302
    assert desk.post(reverse("admin:auth_user_password_change", args=[listener.pk]), NEW_PASSWORD).status_code == 302

    listener.refresh_from_db()
    assert listener.name == "Renamed"
    assert listener.check_password(NEW)


def test_staff_cannot_grant_rights(desk, clerk, listener):
    group = Group.objects.create(name="Everything")
    rights = {**PRIVILEGES, "groups": [group.pk], "user_permissions": [Permission.objects.first().pk]}
    before = rights_of(clerk)

    desk.post(change_page(listener), form_of(listener, **rights))
    desk.post(change_page(clerk), form_of(clerk, **rights))

    assert rights_of(listener) == (False, False, 0, 0)
    assert rights_of(clerk) == before


def test_staff_cannot_create_staff(desk):
    form = {"email": "nina@example.com", "username": "nina", "name": "", "role": "artist", **NEW_PASSWORD, **PRIVILEGES}

    assert desk.post(reverse("admin:users_user_add"), form).status_code == 302

    assert rights_of(User.objects.get(username="nina")) == (False, False, 0, 0)


@pytest.mark.parametrize("who", ["boss", "colleague"])
def test_staff_can_only_read_accounts_of_staff(desk, request, who):
    other = request.getfixturevalue(who)

    assert desk.get(change_page(other)).status_code == 200
    assert desk.post(change_page(other), form_of(other, email="mine@example.com")).status_code == 403
    assert desk.post(reverse("admin:auth_user_password_change", args=[other.pk]), NEW_PASSWORD).status_code == 403
    assert desk.post(reverse("admin:users_user_delete", args=[other.pk]), {"post": "yes"}).status_code == 403

    other.refresh_from_db()
    assert other.email == f"{who}@example.com"
    assert other.check_password(PASSWORD)


@pytest.mark.parametrize("who", ["boss", "colleague"])
def test_actions_by_staff_leave_out_staff(desk, request, listener, who):
    other = request.getfixturevalue(who)
    selected = {"_selected_action": [other.pk, listener.pk], "post": "yes"}

    desk.post(USERS, {"action": "suspend", "confirm": "yes", "reason": "Sends spam", **selected})
    assert User.objects.get(pk=other.pk).is_active
    assert not User.objects.get(pk=listener.pk).is_active

    desk.post(USERS, {"action": "delete_selected", **selected})
    assert User.objects.filter(pk=other.pk).exists()


def test_staff_cannot_reinstate_staff(desk, colleague):
    User.objects.filter(pk=colleague.pk).update(is_active=False)

    desk.post(USERS, {"action": "reinstate", "_selected_action": [colleague.pk]})

    assert not User.objects.get(pk=colleague.pk).is_active


def test_staff_cannot_delete_tokens_of_staff(desk, boss, api_as):
    api_as(boss)
    token = AuthToken.objects.get()

    desk.post(reverse("admin:users_authtoken_delete", args=[token.pk]), {"post": "yes"})
    tokens = reverse("admin:users_authtoken_changelist")
    desk.post(tokens, {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})

    assert AuthToken.objects.filter(pk=token.pk).exists()


def test_staff_cannot_change_groups(desk, clerk):
    group = Group.objects.create(name="Clerks")
    clerk.groups.add(group)
    permission = Permission.objects.first().pk

    page = reverse("admin:auth_group_change", args=[group.pk])
    assert desk.post(page, {"name": "Clerks", "permissions": [permission]}).status_code == 403
    new = desk.post(reverse("admin:auth_group_add"), {"name": "Others", "permissions": [permission]})
    assert new.status_code == 403

    assert not group.permissions.exists()
    assert Group.objects.count() == 1


def test_a_superuser_can_change_staff_and_groups(client, boss, colleague):
    client.force_login(boss)

    assert client.post(change_page(colleague), form_of(colleague, is_staff="on", is_superuser="on")).status_code == 302
    page = reverse("admin:auth_user_password_change", args=[colleague.pk])
    assert client.post(page, NEW_PASSWORD).status_code == 302

    colleague.refresh_from_db()
    assert colleague.is_superuser
    assert colleague.check_password(NEW)
