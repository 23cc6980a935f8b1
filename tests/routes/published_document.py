"""Fuzz tests: schemathesis sends valid and invalid requests, and each answer has to be in the published document.

`make fuzz` runs it; SEED=7 EXAMPLES=500 sends others, and more of them.
"""

import os
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from tests.routes.world import CALLERS, make_world
from users.models import AuthToken

# Existing objects by the first part of a path; random ids alone would all be 404.
KNOWN = {
    "songs": ["song", "private_song", "hidden_song", "silent_song"],
    "albums": ["album", "private_album"],
    "genres": ["genre", "used_genre"],
    "artists": ["owner", "artist", "listener"],
    "ads": ["ad"],
    "sessions": ["session"],
    "subscriptions": ["seat"],
}
CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
CONFIG = {
    "seed": int(os.environ.get("SEED", "1")),
    "generation": {
        "max-examples": int(os.environ.get("EXAMPLES", "5")),
        "database": "none",
        # Invalid tokens are tested with table.txt.
        "with-security-parameters": False,
    },
}
document = schemathesis.openapi.from_wsgi(
    "/api/schema?format=json", get_wsgi_application(), config=SchemathesisConfig.from_dict(CONFIG)
)


@pytest.fixture
def world(db, settings):
    # The effects of tasks would outlive the rollback.
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUES": []}}
    world = make_world()
    world.tokens = {caller: token_of(getattr(world, caller, None)) for caller in CALLERS}
    return world


@pytest.fixture
def one_connection():
    """Keep the connection open between requests, as Django's test client does, for the transaction around the test."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def token_of(user: Any) -> dict[str, str]:
    return {"Authorization": f"Token {AuthToken.objects.create(user)[1]}"} if user else {}


@pytest.fixture
def ask(world, stripe_server, one_connection):
    """Return a function that sends a case as one of the callers, checks the answer, and rolls the change back."""

    def asked(case: schemathesis.Case) -> None:
        number = number_of(case.path_parameters, case.query, case.body)
        about_something_known(case, world)
        cache.clear()
        savepoint = transaction.savepoint()
        try:
            answer = case.call(headers=world.tokens[CALLERS[number % len(CALLERS)]])
        finally:
            transaction.savepoint_rollback(savepoint)
        case.validate_response(answer, checks=CHECKED)

    return asked


def number_of(*made_up: Any) -> int:
    """Return a number that depends on the case alone, so that runs repeat."""
    return crc32(repr(made_up).encode("utf-8", "replace"))


def about_something_known(case: schemathesis.Case, world: SimpleNamespace) -> None:
    """Replace two of three made-up ids by that of an existing object."""
    number = number_of(case.path_parameters, case.body)
    if len(str((case.path_parameters or {}).get("id", ""))) == 36 and number % 3:
        names = KNOWN[case.path.split("/")[2]]
        case.path_parameters["id"] = str(getattr(world, names[number % len(names)]).pk)
    if isinstance(case.body, dict) and "plan_id" in case.body and number % 3:
        case.body["plan_id"] = str(world.individual.pk)


@document.parametrize()
@settings(deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_document(case, ask):
    ask(case)
