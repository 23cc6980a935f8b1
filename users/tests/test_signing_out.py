"""Logging out on all devices, by request or by a change of the password."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from conftest import PASSWORD
from users.models import User

pytestmark = pytest.mark.django_db

NEW = "another long road home"


@pytest.fixture
def browser(client, listener):
    """Return the client of a browser that is logged in to the browsable API."""
    form = {"username": "listener", "password": PASSWORD}
    assert client.post("/accounts/login", form).status_code == 302
    assert client.get("/api/profile").status_code == 200
    return client


def is_logged_in(browser):
    return browser.get("/api/profile").status_code == 200


def log_out_everywhere(api, api_as, user, mailoutbox):
    assert api_as(user).post("/api/logout/all").status_code == 204


def change(api, api_as, user, mailoutbox):
    body = {"old_password": PASSWORD, "new_password": NEW}
    assert api_as(user).post("/api/password/change", body).status_code == 200


def reset(api, api_as, user, mailoutbox):
    api.post("/api/password/reset", {"email": user.email})
    link = parse_qs(urlsplit(re.search(r"http\S+", mailoutbox[-1].body)[0]).query)
    body = {"uid": link["uid"][0], "token": link["token"][0], "new_password": NEW}
    assert api.post("/api/password/reset/confirm", body).status_code == 204


def set_by_admin(api, api_as, user, mailoutbox):
    admin = Client()
    admin.force_login(User.objects.create_superuser("boss@example.com", "boss", PASSWORD))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    assert admin.post(reverse("admin:auth_user_password_change", args=[user.pk]), form).status_code == 302
    assert admin.get("/admin/").status_code == 200


@pytest.mark.parametrize("end", [log_out_everywhere, change, reset, set_by_admin])
def test_browser_sessions_and_tokens_end(api, api_as, browser, listener, make_user, mailoutbox, end):
    phone = api_as(listener)
    another = api_as(make_user("another"))

    end(api, api_as, listener, mailoutbox)

    assert not is_logged_in(browser)
    assert phone.get("/api/profile").status_code == 401
    assert another.get("/api/profile").status_code == 200
    password = PASSWORD if end is log_out_everywhere else NEW
    assert browser.post("/accounts/login", {"username": "listener", "password": password}).status_code == 302
    assert is_logged_in(browser)


def test_changing_the_own_password_in_the_admin_ends_the_other_sessions(listener):
    boss = User.objects.create_superuser("boss@example.com", "boss", PASSWORD)
    here, there = Client(), Client()
    for browser in (here, there):
        assert browser.login(username="boss", password=PASSWORD)

    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/admin/password_change/", form).status_code == 302

    boss.refresh_from_db()
    assert boss.check_password(NEW)
    assert (is_logged_in(here), is_logged_in(there)) == (True, False)


def test_one_logout_keeps_the_other_sessions(api_as, browser, listener):
    assert api_as(listener).post("/api/logout").status_code == 204

    assert is_logged_in(browser)
