"""Requests and events at the same moment: one subscription, one outcome, no seat too many."""

import importlib
import json

import pytest
from django.apps import apps
from djstripe.models import Event

from music.tests.test_counters_together import at_once, own_connections  # noqa: F401
from payments.models import Membership, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def the_five_plans(own_connections):  # noqa: F811
    """Create the plans again: tests with real transactions leave empty tables behind."""
    importlib.import_module("payments.migrations.0002_the_five_plans").make_plans(apps)


@pytest.fixture
def client_of(api_as):
    def made(user):
        client = api_as(user)
        client.raise_request_exception = False
        return client

    return made


def test_ten_requests_at_once_make_one_subscription_one_trial_and_no_charge(
    stripe, client_of, plans, listener, current
):
    clients = [client_of(listener) for _ in range(10)]
    body = {"plan_id": str(plans.individual.pk), "payment_method": "pm_card_visa"}

    answers = at_once([lambda c=client: c.post("/api/subscriptions/subscribe", body) for client in clients])

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {400, 409}
    assert len(stripe.subscriptions()) == len(stripe.customers()) == Subscription.objects.count() == 1
    assert stripe.all("charges") == []
    stripe.catch_up()
    assert current(listener)["status"] == "trialing"


def test_ten_requests_at_once_with_one_key_make_one_subscription(stripe, client_of, plans, listener):
    clients = [client_of(listener) for _ in range(10)]
    body = {"plan_id": str(plans.individual.pk)}
    headers = {"Idempotency-Key": "one"}

    answers = at_once(
        [lambda c=client: c.post("/api/subscriptions/subscribe", body, headers=headers) for client in clients]
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({json.dumps(answer.json()) for answer in answers if answer.status_code == 201}) == 1
    assert len(stripe.subscriptions()) == 1


def test_one_event_delivered_six_times_at_once_is_processed_once(
    stripe, api_as, client_of, plans, listener, subscribe, current, mailoutbox
):
    from rest_framework.test import APIClient

    subscribe(listener, plans.individual)
    api_as(listener).post("/api/subscriptions/cancel")
    stripe.advance(days=31)
    [event] = stripe.events(types=["customer.subscription.deleted"])

    answers = at_once([lambda: stripe.post_event(APIClient(), json.dumps(event)) for _ in range(6)])

    assert [answer.status_code for answer in answers] == [200] * 6
    assert Event.objects.count() == 1
    assert current(listener)["plan"] == "free"
    assert [mail.subject for mail in mailoutbox] == ["Your Premium Individual plan has ended"]


def test_different_events_of_one_customer_at_once_have_one_outcome(stripe, api_as, plans, listener, subscribe, current):
    from rest_framework.test import APIClient

    subscribe(listener, plans.individual)
    api_as(listener).post("/api/subscriptions/cancel")
    stripe.advance(days=31)
    events = [event for event in stripe.events() if event["type"].startswith("customer.subscription")]

    answers = at_once(
        [lambda e=event: stripe.post_event(APIClient(), json.dumps(e)) for event in events for _ in range(2)]
    )

    assert {answer.status_code for answer in answers} == {200}
    assert Subscription.objects.get().status == "canceled"


def test_the_last_seat_is_taken_once(stripe, client_of, plans, listener, subscribe):
    subscribe(listener, plans.duo)
    clients = [client_of(listener) for _ in range(8)]

    answers = at_once(
        [
            lambda c=client, n=number: c.post("/api/subscriptions/members", {"email": f"m{n}@example.com"})
            for number, client in enumerate(clients)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    assert Membership.objects.count() == 1


def test_a_token_used_twice_at_once_lets_one_user_join(
    stripe, api_as, client_of, plans, listener, subscribe, make_user, mailoutbox
):
    subscribe(listener, plans.family)
    api_as(listener).post("/api/subscriptions/members", {"email": "nina@example.com"})
    token = mailoutbox[-1].body.split("token=")[1].split()[0]
    clients = [client_of(make_user(f"m{number}")) for number in range(6)]

    answers = at_once([lambda c=client: c.post("/api/subscriptions/join", {"token": token}) for client in clients])

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5
    assert Membership.objects.count() == 1
