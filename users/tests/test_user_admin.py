import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from conftest import PASSWORD
from users.models import AuthToken, User

pytestmark = pytest.mark.django_db

NEW = "another long road home"


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss@example.com", "boss", PASSWORD)


@pytest.fixture
def admin(client, boss):
    client.force_login(boss)
    return client


@pytest.fixture
def imported(db):
    """Return an artist as an import creates one: without an address and without a usable password."""
    return User.objects.create_user(None, "nina.simone", name="Nina Simone", role="artist")


def change_page(user):
    return reverse("admin:users_user_change", args=[user.pk])


def form_of(user, **fields):
    profile = {"id": user.profile.pk, "user": user.pk, "audio_quality": "medium"}
    return {
        "email": user.email or "",
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "is_active": "on",
        "profile-TOTAL_FORMS": 1,
        "profile-INITIAL_FORMS": 1,
        **{f"profile-0-{name}": value for name, value in profile.items()},
        **fields,
    }


def errors_on(page):
    assert page.status_code == 200
    return set(page.context["adminform"].form.errors)


def test_entering_an_address_for_an_imported_artist_mails_a_reset_link(admin, api, imported, mailoutbox):
    answer = admin.post(change_page(imported), form_of(imported, email="nina@example.com"), follow=True)

    assert "a link to set a password was sent to nina@example.com" in answer.content.decode()
    (mail,) = mailoutbox
    assert mail.to == ["nina@example.com"]
    link = parse_qs(urlsplit(re.search(r"http\S+", mail.body)[0]).query)
    confirmed = api.post(
        "/api/password/reset/confirm", {"uid": link["uid"][0], "token": link["token"][0], "new_password": NEW}
    )
    assert confirmed.status_code == 204
    entered = api.post("/api/login", {"email": "nina@example.com", "password": NEW})
    assert entered.json()["user"]["id"] == str(imported.pk)
    assert entered.json()["user"]["name"] == "Nina Simone"


def test_two_accounts_may_be_without_an_address(admin, imported, mailoutbox):
    other = User.objects.create_user(None, "miles.davis", role="artist")

    for user in (imported, other):
        assert admin.post(change_page(user), form_of(user, name="Renamed")).status_code == 302

    assert User.objects.filter(email=None, name="Renamed").count() == 2
    assert not mailoutbox


def test_changing_an_existing_address_mails_no_link(admin, listener, mailoutbox):
    admin.post(change_page(listener), form_of(listener, email="new@example.com"))

    assert User.objects.get(pk=listener.pk).email == "new@example.com"
    assert not mailoutbox


@pytest.mark.parametrize("email", ["listener@example.com", "LISTENER@example.com"])
def test_an_address_that_is_taken_is_refused(admin, imported, listener, email, mailoutbox):
    assert errors_on(admin.post(change_page(imported), form_of(imported, email=email))) == {"email"}
    assert not mailoutbox


@pytest.mark.parametrize("username", ["listener", "LISTENER", "listener@example.com"])
def test_a_taken_or_misleading_username_is_refused(admin, imported, listener, username):
    assert errors_on(admin.post(change_page(imported), form_of(imported, username=username))) == {"username"}


def test_a_suspension_shows_at_once_and_can_be_taken_back(admin, api_as, listener):
    phone, users = api_as(listener), reverse("admin:users_user_changelist")

    suspend = {"action": "suspend", "_selected_action": [listener.pk]}
    assert "form" in admin.post(users, suspend).context
    assert phone.get("/api/profile").status_code == 200

    admin.post(users, {**suspend, "confirm": "yes", "reason": "Sends spam"})
    assert phone.get("/api/profile").status_code == 401

    admin.post(users, {"action": "reinstate", "_selected_action": [listener.pk]})
    assert phone.get("/api/profile").status_code == 200
    history = admin.get(reverse("admin:users_user_history", args=[listener.pk])).content.decode()
    assert "Suspended. Reason: Sends spam" in history
    assert "Reinstated." in history


def test_the_form_suspends_with_a_reason_only(admin, listener):
    form = form_of(listener)
    del form["is_active"]

    assert errors_on(admin.post(change_page(listener), form)) == {"reason"}
    assert admin.post(change_page(listener), {**form, "reason": "Sends spam"}).status_code == 302

    assert not User.objects.get(pk=listener.pk).is_active
    assert LogEntry.objects.get().get_change_message() == "Changed Active. Reason: Sends spam"


def test_admins_cannot_suspend_themselves(admin, boss):
    suspend = {"action": "suspend", "_selected_action": [boss.pk], "confirm": "yes", "reason": "A slip"}
    admin.post(reverse("admin:users_user_changelist"), suspend)

    assert User.objects.get(pk=boss.pk).is_active


def test_a_new_account_has_a_profile(admin, api):
    form = {
        "email": "nina@example.com",
        "username": "nina",
        "name": "",
        "role": "artist",
        "password1": NEW,
        "password2": NEW,
        "usable_password": "true",
    }
    assert admin.post(reverse("admin:users_user_add"), form).status_code == 302

    entered = api.post("/api/login", {"email": "nina@example.com", "password": NEW})
    api.credentials(HTTP_AUTHORIZATION=f"Token {entered.json()['token']}")
    assert api.get("/api/profile").json()["user"]["name"] == "nina"


def test_a_new_account_has_the_rules_of_registration(admin, listener):
    form = {"username": "LISTENER", "email": "LISTENER@example.com", "password1": NEW, "password2": NEW}

    page = admin.post(reverse("admin:users_user_add"), {**form, "role": "user", "usable_password": "true"})

    assert errors_on(page) == {"email", "username"}


def test_a_password_set_in_the_admin_ends_the_tokens(admin, api_as, listener):
    phone = api_as(listener)
    page = reverse("admin:auth_user_password_change", args=[listener.pk])

    admin.post(page, {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"})

    listener.refresh_from_db()
    assert listener.check_password(NEW)
    assert phone.get("/api/profile").status_code == 401


@pytest.mark.parametrize("model", ["user", "authtoken"])
def test_admin_pages_open(admin, listener, api_as, model):
    api_as(listener)
    found = reverse(f"admin:users_{model}_changelist") + "?q=listener"

    assert "listener" in admin.get(found).content.decode()
    row = listener if model == "user" else AuthToken.objects.get()
    assert admin.get(reverse(f"admin:users_{model}_change", args=[row.pk])).status_code == 200


def test_tokens_are_never_shown(admin, listener, api_as):
    api_as(listener)
    token = AuthToken.objects.get()

    page = admin.get(reverse("admin:users_authtoken_change", args=[token.pk])).content.decode()

    assert token.digest not in page
    assert token.token_key not in page


def test_accounts_can_be_deleted_in_the_admin(admin, listener):
    users = reverse("admin:users_user_changelist")

    admin.post(users, {"action": "delete_selected", "_selected_action": [listener.pk], "post": "yes"})

    assert not User.objects.filter(pk=listener.pk).exists()


def test_listeners_cannot_enter_the_admin(client, listener):
    client.force_login(listener)

    assert client.get("/admin/").status_code == 302
    assert "not authorized" in client.get("/admin/", follow=True).content.decode()


def test_the_log_in_page_of_the_admin_says_that_it_is_for_staff(client, listener):
    page = client.post("/admin/login/", {"username": "listener@example.com", "password": PASSWORD})

    assert [error.code for error in page.context["form"].non_field_errors().as_data()] == ["not_staff"]
    assert "_auth_user_id" not in client.session
    wrong = client.post("/admin/login/", {"username": "listener@example.com", "password": "wrong"})
    assert [error.code for error in wrong.context["form"].non_field_errors().as_data()] != ["not_staff"]


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("nina", {"nina.simone"}),
        ("simone nina", {"nina.simone"}),
        ("nina simnoe", {"nina.simone"}),
        ("Nína Simône", {"nina.simone"}),
        ("listener@exam", {"listener"}),
        ("listner", {"listener"}),
        ("liistener", {"listener"}),
        ("litsener", {"listener"}),
        ("l..tener", set()),
        ("nobody of this name", set()),
        ("[", set()),
    ],
)
def test_the_search_for_accounts_tolerates_typos(admin, imported, listener, term, found):
    rows = admin.get(reverse("admin:users_user_changelist"), {"q": term}).context["cl"].result_list

    assert {user.username for user in rows} == found
