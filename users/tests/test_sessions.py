from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users.models import AuthToken

pytestmark = pytest.mark.django_db

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
)
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def logged_in(program):
    api = APIClient(HTTP_USER_AGENT=program)
    answer = api.post("/api/login", {"email": "listener@example.com", "password": PASSWORD})
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    return api


def sessions(api):
    return api.get("/api/sessions").json()["results"]


def test_the_list_of_devices_marks_the_current_one(listener):
    logged_in(PHONE)
    laptop = logged_in(LAPTOP)

    answer = laptop.get("/api/sessions")

    assert answer.status_code == 200
    assert answer.json().keys() == {"next", "previous", "results"}
    found = answer.json()["results"]
    assert [(one["device"], one["current"]) for one in found] == [
        ("Firefox on Linux", True),
        ("Chrome on Android", False),
    ]
    assert found[0].keys() == {"id", "device", "created_at", "last_used_at", "current"}
    assert found[0]["created_at"].endswith("Z")


def test_the_list_comes_in_pages(listener):
    laptop = [logged_in(LAPTOP) for _ in range(3)][-1]

    first = laptop.get("/api/sessions?limit=2").json()
    second = laptop.get(first["next"]).json()

    assert [len(first["results"]), len(second["results"])] == [2, 1]
    assert len({one["id"] for one in first["results"] + second["results"]}) == 3


def test_the_list_leaves_out_other_users_and_expired_devices(api_as, listener, artist):
    api_as(artist)
    mine = api_as(listener)
    _, ended = AuthToken.objects.create(listener), AuthToken.objects.first()
    AuthToken.objects.filter(pk=ended.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    mine = api_as(listener)

    assert str(ended.pk) not in {one["id"] for one in sessions(mine)}
    assert {one["id"] for one in sessions(mine)} <= {str(token.pk) for token in AuthToken.objects.filter(user=listener)}


def test_a_device_that_is_logged_out_is_refused_at_once(listener):
    phone, laptop = logged_in(PHONE), logged_in(LAPTOP)
    [lost] = [one for one in sessions(laptop) if not one["current"]]

    answer = laptop.delete(f"/api/sessions/{lost['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert phone.get("/api/profile").status_code == 401
    assert laptop.get("/api/profile").status_code == 200


def test_logging_out_the_current_device_revokes_its_token(listener):
    laptop = logged_in(LAPTOP)
    [current] = sessions(laptop)

    assert laptop.delete(f"/api/sessions/{current['id']}/").status_code == 204

    assert laptop.get("/api/sessions").status_code == 401
    assert not AuthToken.objects.exists()


def test_other_users_and_unknown_devices_are_404(api_as, listener, artist):
    theirs = sessions(api_as(artist))[0]["id"]
    mine = api_as(listener)

    for unknown in (theirs, uuid4(), "x"):
        assert mine.delete(f"/api/sessions/{unknown}").status_code == 404
    assert AuthToken.objects.filter(pk=theirs).exists()


def test_the_list_needs_a_token(api, db):
    assert api.get("/api/sessions").status_code == 401
    assert api.delete(f"/api/sessions/{uuid4()}").status_code == 401


def test_in_a_browser_session_no_device_is_the_current_one(client, api_as, listener):
    api_as(listener)
    client.force_login(listener)

    assert [one["current"] for one in client.get("/api/sessions").json()["results"]] == [False]


def test_a_list_costs_two_queries_however_long_it_is(api_as, listener, django_assert_num_queries):
    mine = api_as(listener)
    for _ in range(20):
        api_as(listener)

    with django_assert_num_queries(2):
        mine.get("/api/sessions")
