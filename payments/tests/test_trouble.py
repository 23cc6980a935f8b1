"""Stripe down or slow: a clean error in time, nothing half-written, and no trial used up."""

import time

import pytest

from payments.models import BillingAccount, Subscription

pytestmark = pytest.mark.django_db


def nothing_happened(user):
    assert not Subscription.objects.exists()
    assert not BillingAccount.objects.filter(user=user, trial_used_at__isnull=False).exists()


@pytest.mark.parametrize("mode", ["down", "500", "429"])
def test_while_stripe_is_down_subscribing_fails_and_changes_nothing(stripe, subscribe, plans, listener, code, mode):
    stripe.fault(mode)

    answer = subscribe(listener, plans.individual)

    assert (answer.status_code, code(answer)) == (502, "payments_failed")
    assert answer.json()["type"] == "server_error"
    nothing_happened(listener)
    stripe.fault("clear")
    assert subscribe(listener, plans.individual).json()["subscription"]["status"] == "trialing"


@pytest.mark.parametrize("mode", ["hang", "slow"])
def test_a_slow_stripe_gets_a_502_within_the_time_limit(stripe, subscribe, plans, listener, code, mode):
    stripe.fault(mode, seconds=15)

    started = time.monotonic()
    answer = subscribe(listener, plans.individual)

    assert time.monotonic() - started < 10
    assert (answer.status_code, code(answer)) == (502, "payments_failed")
    nothing_happened(listener)
    stripe.fault("clear")


@pytest.mark.parametrize("step", ["POST /v1/customers", "POST /v1/payment_methods", "POST /v1/prices", "POST /v1/sub"])
def test_after_a_lost_answer_the_next_request_finds_the_subscription(stripe, subscribe, plans, listener, current, step):
    stripe.fault("lost", times=1, only=step)
    assert subscribe(listener, plans.individual).status_code == 502

    answer = subscribe(listener, plans.individual)

    assert answer.status_code == 201
    assert current(listener)["status"] == "trialing"
    assert len(stripe.subscriptions()) == len(stripe.customers()) == 1


def test_after_a_lost_answer_the_webhook_brings_the_subscription(stripe, subscribe, plans, listener, current):
    stripe.fault("lost", times=1, only="POST /v1/subscriptions")
    assert subscribe(listener, plans.individual).status_code == 502

    stripe.catch_up()

    assert current(listener)["status"] == "trialing"


def test_the_same_idempotency_key_resumes_a_request_that_was_cut_off(stripe, subscribe, plans, listener):
    stripe.fault("lost", times=1, only="POST /v1/subscriptions")
    assert subscribe(listener, plans.individual, **{"Idempotency-Key": "one"}).status_code == 502

    answer = subscribe(listener, plans.individual, **{"Idempotency-Key": "one"})

    assert answer.status_code == 201
    assert len(stripe.subscriptions()) == 1


def test_switching_plans_while_stripe_is_down_changes_nothing(stripe, subscribe, plans, listener, current):
    subscribe(listener, plans.individual)
    stripe.fault("down")

    assert subscribe(listener, plans.family).status_code == 502
    assert current(listener)["plan"] == "individual"


@pytest.mark.parametrize("action", ["cancel", "resume", "portal"])
def test_other_requests_fail_cleanly_while_stripe_is_down(
    stripe, subscribe, plans, listener, api_as, current, code, action
):
    subscribe(listener, plans.individual)
    before = current(listener)
    stripe.fault("500")
    api = api_as(listener)
    api.raise_request_exception = False

    answer = api.post(f"/api/subscriptions/{action}")

    assert (answer.status_code, code(answer)) == (502, "payments_failed")
    assert current(listener) == before
