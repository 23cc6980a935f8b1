"""Every route, method and caller: the status is that of table.txt, and errors have the API's shape."""

import re
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import transaction
from django.http.response import HttpResponseBase
from django.urls import resolve
from rest_framework.test import APIClient

from tests.routes.table import ANYTHING, METHODS, Row, routes, rows
from tests.routes.world import address_of, body_for, clients_of, make_world

pytestmark = pytest.mark.django_db

ROWS = rows()
UNROUTED = "^api/"
PAGE_OF_A_MODEL = re.compile(r"admin/\w+/\w+/(?!<uuid:pk>)")


@pytest.fixture
def world(settings):
    # The effects of tasks would outlive the rollback.
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUES": []}}
    return make_world()


@pytest.fixture
def ask(world):
    """Return a function that sends a request and rolls its changes back: `ask("owner", "DELETE", path)`."""
    clients = clients_of(world)
    cookies = {caller: dict(client.cookies) for caller, client in clients.items()}

    def asked(caller: str, method: str, path: str) -> HttpResponseBase:
        cache.clear()
        clients[caller].cookies.clear()
        clients[caller].cookies.update(cookies[caller])
        savepoint = transaction.savepoint()
        try:
            return send(clients[caller], method, path, world)
        finally:
            transaction.savepoint_rollback(savepoint)

    return asked


def send(client: APIClient, method: str, path: str, world: SimpleNamespace) -> HttpResponseBase:
    address = address_of(path, world)
    if method in ("GET", "HEAD", "OPTIONS"):
        return getattr(client, method.lower())(address)
    body = body_for(path.rstrip("/") if is_api(path) else path, world)
    is_form = not is_api(path) or any(isinstance(value, ContentFile) for value in body.values())
    return getattr(client, method.lower())(address, body, format="multipart" if is_form else "json")


def is_api(path: str) -> bool:
    return path.startswith("/api")


def is_page_of_a_model(path: str) -> bool:
    return "/MODEL/" in path


@pytest.mark.parametrize("row", [row for row in ROWS if not is_page_of_a_model(row.path)], ids=lambda row: row.path)
def test_every_caller_gets_the_status_in_the_table(ask, stripe_server, row):
    got = {}
    for (method, caller), expected in row.expected().items():
        answer = ask(caller, method, row.path)
        got[method, caller] = ANYTHING if expected == ANYTHING else str(answer.status_code)
        check_form(answer, method, row.path)

    assert got == row.expected()


def check_form(answer: Any, method: str, path: str) -> None:
    """Check what holds for every answer, whatever its status."""
    assert answer.status_code < 500, (method, path)
    if method == "HEAD":
        assert not b"".join(answer)
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == "Token"
    if answer.status_code == 405:
        assert method not in answer["Allow"].split(", ")
    if is_api(path) and answer.status_code >= 400 and method != "HEAD":
        check_error(answer)


def check_error(answer: Any) -> None:
    assert answer["Content-Type"] == "application/json"
    said = answer.json()
    assert said.keys() == {"type", "errors"}
    assert said["type"] == "validation_error" if said["errors"][0]["attr"] else said["type"]
    for error in said["errors"]:
        assert error.keys() == {"code", "detail", "attr"}
        assert isinstance(error["code"], str)
        assert isinstance(error["detail"], str)


@pytest.mark.parametrize("path", sorted({row.path for row in ROWS if is_api(row.path) and "?" not in row.path}))
def test_a_slash_at_the_end_changes_nothing(ask, stripe_server, path):
    for method in METHODS:
        with_slash, without = ask("owner", method, f"{path}/"), ask("owner", method, path)
        assert with_slash.status_code == without.status_code, method


def pages_of_models() -> list[str]:
    """Return an address of each admin page of each model, with ids that do not exist."""
    return [re.sub(r"<[^>]+>", "1", f"/{route}") for route in routes() if PAGE_OF_A_MODEL.match(route)]


def row_of(page: str) -> Row | None:
    path = re.sub(r"^/admin/\w+/\w+/", "/admin/MODEL/", page)
    return next((row for row in ROWS if row.path == path), None)


def test_the_pages_of_every_model_are_for_admins(ask):
    # Two callers and two methods only: there are too many pages to walk the whole table.
    for page in pages_of_models():
        expected = row_of(page).expected()
        for caller, method in product(("anonymous", "owner"), ("GET", "POST")):
            assert str(ask(caller, method, page).status_code) == expected[method, caller], (caller, method, page)


def test_no_page_of_our_models_fails(ask):
    for page in pages_of_models():
        if not page.startswith("/admin/djstripe/"):
            assert ask("admin", "GET", page).status_code < 500, page


def test_every_route_has_a_row(world):
    paths = [address_of(row.path, world) for row in ROWS if not is_page_of_a_model(row.path)]
    walked = {resolve(path.partition("?")[0]).route for path in paths}

    missing = [route for route in routes() if route not in walked and not PAGE_OF_A_MODEL.match(route)]
    assert missing == [], "Add a row to tests/routes/table.txt for each of these."
    assert [page for page in pages_of_models() if row_of(page) is None] == []


def test_every_row_has_a_route(world):
    for row in ROWS:
        if not is_page_of_a_model(row.path):
            leads_nowhere = resolve(address_of(row.path, world).partition("?")[0]).route == UNROUTED
            assert leads_nowhere == (set(row.cells) == {"404"}), f"{row.path} has no route any more."
    assert {row.path for row in ROWS if is_page_of_a_model(row.path)} <= {
        row.path for row in map(row_of, pages_of_models())
    }
