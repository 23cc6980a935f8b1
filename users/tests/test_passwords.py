import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.management import call_command

from conftest import PASSWORD
from users import passwords
from users.models import AuthToken, User

pytestmark = pytest.mark.django_db

NEW = "another long road home"


def log_in(api, password):
    return api.post("/api/login", {"email": "listener@example.com", "password": password}).status_code


def change(api, old=PASSWORD, new=NEW):
    return api.post("/api/password/change", {"old_password": old, "new_password": new})


def problems(answer):
    assert answer.status_code == 400
    return [(error["attr"], error["code"]) for error in answer.json()["errors"]]


@pytest.fixture
def link_to(api, mailoutbox):
    """Return a function that requests a reset and returns the uid and token in the mail."""

    def ask(email):
        assert api.post("/api/password/reset", {"email": email}).status_code == 204
        url = urlsplit(re.search(r"http\S+", mailoutbox[-1].body)[0])
        return {name: values[0] for name, values in parse_qs(url.query).items()}

    return ask


def confirm(api, link, password=NEW):
    return api.post("/api/password/reset/confirm", {**link, "new_password": password})


def test_after_a_change_only_the_new_password_works(api, api_as, listener):
    assert change(api_as(listener)).status_code == 200

    assert log_in(api, NEW) == 200
    assert log_in(api, PASSWORD) == 401


def test_a_change_revokes_all_tokens_and_returns_a_new_one(api, api_as, listener):
    phone, laptop = api_as(listener), api_as(listener)

    answer = change(phone)

    assert answer.json().keys() == {"token"}
    assert phone.get("/api/profile").status_code == laptop.get("/api/profile").status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert api.get("/api/profile").status_code == 200


def test_a_wrong_old_password_changes_nothing(api_as, listener):
    phone = api_as(listener)

    assert problems(change(phone, old="wrong")) == [("old_password", "invalid_password")]

    listener.refresh_from_db()
    assert listener.check_password(PASSWORD)
    assert phone.get("/api/profile").status_code == 200


def test_a_weak_new_password_is_refused(api_as, listener):
    phone = api_as(listener)

    assert problems(change(phone, new="xq7")) == [("new_password", "password_too_short")]
    assert ("new_password", "password_too_similar") in problems(change(phone, new="listener@example"))
    assert phone.get("/api/profile").status_code == 200


def test_a_change_needs_a_token(api, db):
    assert change(api).status_code == 401


def test_a_change_does_not_undo_a_suspension(listener):
    User.objects.update(is_active=False)

    passwords.set_password(listener, NEW)

    listener.refresh_from_db()
    assert not listener.is_active


def test_a_reset_mail_links_to_the_frontend(api, listener, mailoutbox, settings):
    settings.FRONTEND_URL = "https://music.example"

    assert api.post("/api/password/reset", {"email": "Listener@Example.com"}).status_code == 204

    (mail,) = mailoutbox
    assert mail.to == ["listener@example.com"]
    assert re.search(r"https://music\.example/reset-password\?uid=[\w-]+&token=[\w-]+\n", mail.body)


def test_an_unknown_address_gets_the_same_answer_and_no_mail(api, listener, mailoutbox):
    known = api.post("/api/password/reset", {"email": "listener@example.com"})
    unknown = api.post("/api/password/reset", {"email": "nobody@example.com"})

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
    assert len(mailoutbox) == 1


def test_a_known_address_costs_as_many_queries_as_an_unknown_one(api, listener, settings, django_assert_num_queries):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

    for email in ("listener@example.com", "nobody@example.com"):
        with django_assert_num_queries(0):
            api.post("/api/password/reset", {"email": email})


def test_a_suspended_account_gets_no_mail(api, make_user, mailoutbox):
    make_user("listener", is_active=False)

    assert api.post("/api/password/reset", {"email": "listener@example.com"}).status_code == 204
    assert not mailoutbox


def test_an_invalid_address_is_refused(api, db):
    assert problems(api.post("/api/password/reset", {"email": "nobody"})) == [("email", "invalid")]


def test_the_link_sets_a_new_password_and_ends_every_token(api, api_as, listener, link_to):
    phone = api_as(listener)

    assert confirm(api, link_to("listener@example.com")).status_code == 204

    assert log_in(api, NEW) == 200
    assert log_in(api, PASSWORD) == 401
    assert phone.get("/api/profile").status_code == 401


def test_an_expired_token_in_the_header_is_ignored(api, listener, link_to):
    api.credentials(HTTP_AUTHORIZATION="Token ended-long-ago")

    assert confirm(api, link_to("listener@example.com")).status_code == 204


def test_a_link_works_once(api, listener, link_to):
    link = link_to("listener@example.com")
    confirm(api, link)

    assert problems(confirm(api, link, "yet another long road")) == [(None, "invalid_token")]
    assert log_in(api, NEW) == 200


def test_a_refused_password_leaves_the_link_usable(api, listener, link_to):
    link = link_to("listener@example.com")

    assert problems(confirm(api, link, "xq7")) == [("new_password", "password_too_short")]
    assert confirm(api, link).status_code == 204


@pytest.mark.parametrize(("minutes", "status"), [(59, 204), (61, 400)])
def test_a_link_works_for_an_hour(api, listener, minutes, status):
    class AWhileAgo(PasswordResetTokenGenerator):
        def _now(self):
            return datetime.now() - timedelta(minutes=minutes)

    uid = passwords.urlsafe_base64_encode(str(listener.pk).encode())

    assert confirm(api, {"uid": uid, "token": AWhileAgo().make_token(listener)}).status_code == status


@pytest.mark.parametrize("uid", ["x", "MQ", "____", "AA", "é", "bm90LWEtdXVpZA", "-" * 100])
def test_a_made_up_link_is_refused(api, listener, link_to, uid):
    link = link_to("listener@example.com")

    assert problems(confirm(api, {**link, "uid": uid})) == [(None, "invalid_token")]
    assert problems(confirm(api, {**link, "token": "c0ffee-0123"})) == [(None, "invalid_token")]


def test_a_link_does_not_work_for_another_account(api, listener, artist, link_to):
    link = link_to("listener@example.com")
    other = link_to("artist@example.com")

    assert problems(confirm(api, {"uid": other["uid"], "token": link["token"]})) == [(None, "invalid_token")]


def test_a_link_ends_with_a_suspension(api, listener, link_to):
    link = link_to("listener@example.com")
    User.objects.update(is_active=False)

    assert problems(confirm(api, link)) == [(None, "invalid_token")]


def test_missing_fields_are_named(api, db):
    required = [(name, "required") for name in ("uid", "token", "new_password")]

    assert problems(api.post("/api/password/reset/confirm", {})) == required


def test_a_password_set_on_the_command_line_ends_the_tokens_too(api_as, listener, monkeypatch):
    phone = api_as(listener)
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)

    call_command("changepassword", "listener@example.com")

    assert phone.get("/api/profile").status_code == 401


def test_a_better_hash_of_the_same_password_keeps_the_tokens(api, api_as, listener, settings):
    phone = api_as(listener)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    assert log_in(api, PASSWORD) == 200

    listener.refresh_from_db()
    assert listener.password.startswith("scrypt")
    assert phone.get("/api/profile").status_code == 200
    assert AuthToken.objects.count() == 2
