from types import SimpleNamespace

import pytest

from payments.models import PlanType, SubscriptionPlan
from payments.stripe.webhooks import REQUIRED_EVENTS
from payments.tests import waiting_tasks


@pytest.fixture(autouse=True)
def tasks(outside_world, settings):
    waiting_tasks.waiting.clear()
    settings.TASKS = {"default": {"BACKEND": "payments.tests.waiting_tasks.WaitingBackend", "QUEUES": []}}


@pytest.fixture
def plans(db):
    """Return the plans by type: `plans.family`."""
    return SimpleNamespace(**{kind: SubscriptionPlan.objects.get(plan_type=kind) for kind in PlanType.values})


@pytest.fixture
def stripe(stripe_server):
    """Return the stand-in for Stripe. `stripe.catch_up()` delivers the events since the last call.

    By default only the types of REQUIRED_EVENTS are delivered; `types=()` delivers all.
    """
    from rest_framework.test import APIClient

    client, seen = APIClient(), []
    client.raise_request_exception = False

    def catch_up(*, types=REQUIRED_EVENTS):
        events = stripe_server.events(after=seen[-1] if seen else None)
        seen.extend(events)
        events = [event for event in events if not types or event["type"] in types]
        answers = stripe_server.deliver(client, events)
        assert [answer.status_code for answer in answers] == [200] * len(events)

    def later(**time):
        """Move Stripe's clock, and deliver the events that follow."""
        stripe_server.advance(**time)
        catch_up()

    stripe_server.catch_up, stripe_server.later = catch_up, later
    return stripe_server


@pytest.fixture
def subscribe(api_as, plans):
    """Return a function that subscribes and returns the response: `subscribe(nina, plans.duo)`."""

    def post(user, plan, payment_method="pm_card_visa", **headers):
        body = {"plan_id": str(plan.pk), **({"payment_method": payment_method} if payment_method else {})}
        client = api_as(user)
        client.raise_request_exception = False
        return client.post("/api/subscriptions/subscribe", body, headers=headers)

    return post


@pytest.fixture
def current(api_as):
    """Return a function that fetches a user's subscription: `current(nina)["status"]`."""
    return lambda user: api_as(user).get("/api/subscriptions/current").json()


@pytest.fixture
def features(api_as):
    return lambda user: api_as(user).get("/api/profile").json()["features"]


@pytest.fixture
def code():
    """Return a function that reads the code of a response's first error."""
    return lambda answer: answer.json()["errors"][0]["code"]
