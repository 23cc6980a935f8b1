from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from payments.models import Subscription

pytestmark = pytest.mark.django_db


def run(*command):
    output = StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()


def test_plans_get_products_and_prices_once(stripe, plans):
    assert run("sync_plans").count("(new)") == 4
    assert run("sync_plans").count("(new)") == 0

    assert {price["unit_amount"] for price in stripe.all("prices")} == {599, 1099, 1499, 1699}
    assert len(stripe.all("products")) == 4


def test_a_changed_price_becomes_a_new_one(stripe, plans):
    run("sync_plans")
    plans.duo.refresh_from_db()
    old = plans.duo.stripe_price_id
    plans.duo.price = "15.49"
    plans.duo.save()

    assert run("sync_plans").count("(new)") == 1

    plans.duo.refresh_from_db()
    assert stripe.get(f"/v1/prices/{old}")["active"] is False
    assert stripe.get(f"/v1/prices/{plans.duo.stripe_price_id}")["unit_amount"] == 1549


@pytest.mark.parametrize("command", ["sync_plans"])
def test_commands_without_a_key_fail_with_a_message(db, settings, command):
    settings.STRIPE_TEST_SECRET_KEY = ""

    with pytest.raises(CommandError, match="not set up"):
        run(command)


def test_reconcile_repairs_missed_changes(stripe, subscribe, plans, listener, current):
    subscribe(listener, plans.individual)
    assert run("reconcile_subscriptions") == "nothing to repair\n"
    stripe.advance(days=31)  # and no event is delivered

    assert "status is now active" in run("reconcile_subscriptions")
    assert current(listener)["status"] == "active"
    assert run("reconcile_subscriptions") == "nothing to repair\n"


def test_reconcile_restores_a_lost_row(stripe, subscribe, plans, listener, current):
    subscribe(listener, plans.individual)
    Subscription.objects.all().delete()

    run("reconcile_subscriptions")

    assert current(listener)["plan"] == "individual"


def test_after_stripe_lost_its_data_a_user_can_subscribe_again(stripe, subscribe, plans, listener, current):
    subscribe(listener, plans.individual)
    stripe.post("/_reset")

    run("reconcile_subscriptions")
    assert current(listener)["plan"] == "free"
    answer = subscribe(listener, plans.duo)
    assert (answer.status_code, current(listener)["plan"], len(stripe.customers())) == (201, "duo", 1)


def test_stripe_webhook_prints_how_to_register_the_endpoint(db):
    output = run("stripe_webhook")

    assert "NOT SET" in output
    assert "stripe listen --forward-to" in output
    assert "make stripe" in output
    assert "customer.subscription.updated" in output


def test_stripe_webhook_registers_the_endpoint(stripe):
    output = run("stripe_webhook", "--create", "https://music.example/api/stripe/webhook")

    [endpoint] = stripe.all("webhook_endpoints")
    assert endpoint["url"] == "https://music.example/api/stripe/webhook"
    assert "STRIPE_WEBHOOK_SECRET=whsec_" in output
    with pytest.raises(CommandError, match="has to end in"):
        run("stripe_webhook", "--create", "https://music.example/else")
