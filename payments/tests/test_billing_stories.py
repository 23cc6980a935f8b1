"""Renewals, failed payments and the end of trials, by moving Stripe's clock."""

import pytest

from payments.models import Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def paying(stripe, subscribe, plans, listener):
    """Return the listener after the trial, with a month paid for."""
    subscribe(listener, plans.individual)
    stripe.later(days=31)
    return listener


@pytest.fixture
def break_card(stripe):
    def broken():
        for card in stripe.all("payment_methods"):
            stripe.card_becomes(card["id"], "chargeCustomerFail")

    return broken


def subjects(mailoutbox):
    return [mail.subject for mail in mailoutbox]


def test_a_trial_with_a_card_becomes_paid(stripe, subscribe, plans, listener, current, mailoutbox):
    subscribe(listener, plans.individual)

    stripe.later(days=27)
    assert current(listener)["status"] == "trialing"
    [mail] = mailoutbox
    assert (mail.subject, mail.to) == ("Your free trial of Premium Individual ends soon", ["listener@example.com"])

    stripe.later(days=4)
    assert current(listener)["status"] == "active"
    [invoice, _] = stripe.invoices(stripe.customers()[0]["id"])
    assert (invoice["amount_paid"], invoice["status"]) == (1099, "paid")
    assert len(mailoutbox) == 1


def test_a_trial_without_a_card_ends(stripe, subscribe, plans, listener, current, features, mailoutbox):
    subscribe(listener, plans.individual, None)

    stripe.later(days=28)
    stripe.later(days=3)

    assert (current(listener)["plan"], features(listener)["audio_quality"]) == ("free", "medium")
    assert subjects(mailoutbox) == [
        "Your free trial of Premium Individual ends soon",
        "Your Premium Individual plan has ended",
    ]


def test_a_cancelled_trial_ends_without_a_charge(stripe, subscribe, plans, listener, api_as, current, mailoutbox):
    subscribe(listener, plans.individual)
    api_as(listener).post("/api/subscriptions/cancel")

    stripe.later(days=31)

    assert current(listener)["plan"] == "free"
    assert stripe.all("charges") == []


def test_a_subscription_renews_each_month(stripe, paying, current):
    first_end = current(paying)["current_period_end"]

    stripe.later(days=31)

    assert (current(paying)["status"], current(paying)["current_period_end"] > first_end) == ("active", True)
    assert len(stripe.all("charges")) == 2


def test_a_failed_payment_keeps_the_plan_while_stripe_retries(
    stripe, paying, break_card, current, features, mailoutbox
):
    break_card()

    stripe.later(days=31)

    assert current(paying)["status"] == "past_due"
    assert features(paying)["ad_free"]
    assert subjects(mailoutbox)[-1] == "Your payment for Premium Individual failed"
    stripe.later(days=5)
    assert subjects(mailoutbox).count("Your payment for Premium Individual failed") == 1


def test_a_payment_on_retry_makes_the_subscription_active_again(stripe, paying, break_card, current):
    break_card()
    stripe.later(days=31)
    for card in stripe.all("payment_methods"):
        stripe.card_becomes(card["id"], "visa")

    stripe.later(days=5)

    assert current(paying)["status"] == "active"


@pytest.mark.parametrize("then", ["cancel", "unpaid"])
def test_a_subscription_ends_if_no_retry_is_paid(stripe, paying, break_card, current, features, mailoutbox, then):
    stripe.retries(1, 2, then=then)
    break_card()

    stripe.later(days=40)

    assert not features(paying)["ad_free"]
    expected = ("free", None) if then == "cancel" else ("individual", "unpaid")
    assert (current(paying)["plan"], current(paying)["status"]) == expected
    assert subjects(mailoutbox)[-1] == "Your Premium Individual plan has ended"


def test_after_an_unpaid_subscription_a_new_one_can_start(stripe, paying, break_card, subscribe, plans, current):
    stripe.retries(1, then="unpaid")
    break_card()
    stripe.later(days=40)

    answer = subscribe(paying, plans.individual)

    assert (answer.status_code, current(paying)["status"]) == (201, "active")
    assert Subscription.objects.open().count() == 1


def test_a_plan_switched_at_stripe_is_switched_here(stripe, paying, subscribe, plans, artist, current):
    subscribe(artist, plans.family)  # so that its price exists at Stripe
    [mine] = [there for there in stripe.subscriptions() if there["status"] == "active"]
    plans.family.refresh_from_db()

    items = [{"id": mine["items"]["data"][0]["id"], "price": plans.family.stripe_price_id}]
    stripe.post(f"/v1/subscriptions/{mine['id']}", items=items)
    stripe.catch_up()

    assert (current(paying)["plan"], current(paying)["max_members"]) == ("family", 6)
