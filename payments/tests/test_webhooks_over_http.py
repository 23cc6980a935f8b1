import importlib
import time

import pytest
from django.apps import apps

from music.tests.test_counters_together import own_connections  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(own_connections, settings, request):  # noqa: F811
    """Start a server in threads, which need a database that threads can share."""
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]  # independent of the environment
    return request.getfixturevalue("live_server")


def test_stripe_delivers_by_itself(stripe, server, api_as, listener, current):
    # As in production: only Stripe's own delivery brings the end of the trial.
    importlib.import_module("payments.migrations.0002_the_five_plans").make_plans(apps)
    stripe.deliver_over_http(f"{server.url}/api/stripe/webhook")
    plan = api_as(listener).get("/api/subscriptions").json()["results"][2]

    url = api_as(listener).post("/api/subscriptions/checkout", {"plan_id": plan["id"]}).json()["url"]
    stripe.check_out(url)
    wait_until(lambda: current(listener)["status"] == "trialing")
    stripe.advance(days=31)
    wait_until(lambda: current(listener)["status"] == "active")

    wait_until(lambda: len(stripe.delivered()) == len(stripe.events()))
    assert {delivery["status"] for delivery in stripe.delivered()} == {200}


def wait_until(is_so, seconds=30):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)
