from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from users.models import AuthToken, User

pytestmark = pytest.mark.django_db


def works(api):
    return api.get("/api/profile").status_code == 200


def writes_of(call):
    with CaptureQueriesContext(connection) as queries:
        call()
    return [query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "EXECUTE"))]


def last_used(token, **ago):
    used = timezone.now() - timedelta(**ago)
    AuthToken.objects.filter(pk=token.pk).update(last_used_at=used, expiry=used + timedelta(days=30))


@pytest.mark.parametrize(
    "header",
    ["Token", "Token unknown", "Token two words", "Token ÿ", "Bearer unknown", "Token " + "0" * 64, "Token \x00"],
)
def test_a_header_without_a_valid_token_is_401(header, listener):
    answer = APIClient(HTTP_AUTHORIZATION=header).get("/api/profile")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["type"] == "client_error"


def test_no_header_is_401(api, db):
    answer = api.get("/api/profile")

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
    assert answer.json()["errors"][0]["code"] == "not_authenticated"


def test_logging_out_ends_this_token_at_once_and_no_other(api_as, listener):
    phone, laptop = api_as(listener), api_as(listener)

    assert phone.post("/api/logout").status_code == 204

    assert not works(phone)
    assert works(laptop)


def test_logging_out_everywhere_ends_every_token_of_the_user_alone(api_as, listener, artist):
    phone, laptop, other = api_as(listener), api_as(listener), api_as(artist)

    assert phone.post("/api/logout/all/").status_code == 204

    assert not works(phone)
    assert not works(laptop)
    assert works(other)


def test_logging_out_needs_a_token(api, db):
    assert api.post("/api/logout").status_code == 401
    assert api.post("/api/logout/all").status_code == 401


def test_tokens_stop_working_while_the_account_is_suspended(api_as, listener):
    phone = api_as(listener)
    User.objects.update(is_active=False)
    assert phone.get("/api/profile").status_code == 401

    User.objects.update(is_active=True)
    assert works(phone)


def test_a_token_ends_30_days_after_its_last_use(api_as, listener):
    phone = api_as(listener)
    last_used(AuthToken.objects.get(), days=29, hours=23)
    assert works(phone)

    last_used(AuthToken.objects.get(), days=30, minutes=1)
    assert not works(phone)


def test_use_extends_the_expiry(api_as, listener):
    phone = api_as(listener)
    last_used(AuthToken.objects.get(), days=29)

    works(phone)

    token = AuthToken.objects.get()
    assert timezone.now() - token.last_used_at < timedelta(minutes=1)
    assert token.expiry - token.last_used_at == timedelta(days=30)


def test_the_last_use_is_written_at_most_once_an_hour(api_as, listener):
    phone = api_as(listener)
    last_used(AuthToken.objects.get(), minutes=59)
    assert not writes_of(lambda: works(phone))

    last_used(AuthToken.objects.get(), minutes=61)
    assert len(writes_of(lambda: works(phone))) == 1
    assert not writes_of(lambda: works(phone))


def test_a_token_is_found_with_one_query(api_as, listener, django_assert_num_queries):
    phone = api_as(listener)

    with django_assert_num_queries(1):
        phone.post("/api/password/change", {})


def test_a_deleted_account_has_no_tokens(api_as, listener):
    phone = api_as(listener)
    User.objects.get().delete()

    assert not works(phone)
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize(
    ("header", "mistake"),
    [
        ("Bearer {}", "not Bearer"),
        ("bearer {}", "not Bearer"),
        ("Bearer", "not Bearer"),
        ("{}", "word Token is missing"),
        ("Token", "token is missing"),
        ("Token {} {}", "no spaces"),
    ],
)
@pytest.mark.parametrize("path", ["/api/profile", "/api/songs"])
def test_a_malformed_header_gets_an_error_with_the_right_form(listener, header, mistake, path):
    _, token = AuthToken.objects.create(listener)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=header.format(token, token))

    answer = api.get(path)
    [error] = answer.json()["errors"]

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert error["code"] == "authentication_failed"
    assert mistake in error["detail"]
    assert "Authorization: Token <token>" in error["detail"]
    assert token not in error["detail"]


def test_basic_credentials_for_a_proxy_are_ignored():
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION="Basic c3RhZ2luZzpzZWNyZXQ=")

    assert api.get("/api/songs").status_code == 200
    assert api.get("/api/profile").status_code == 401
