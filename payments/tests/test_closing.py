"""Deletion of accounts with a subscription: answered at once, with retries at Stripe in the background."""

import json
from hashlib import sha256

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from djstripe import models as tables
from rest_framework.test import APIClient

from conftest import PASSWORD
from payments.models import BillingAccount, ClosedCustomer, Membership, Subscription, UsedTrial
from payments.tests.waiting_tasks import run_waiting_tasks
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def close_account(api_as):
    return lambda user: api_as(user).delete("/api/profile", {"password": PASSWORD})


def nothing_is_kept(customer):
    for model in (tables.Customer, tables.Subscription, tables.Invoice, tables.PaymentMethod, tables.Event):
        assert not model.objects.exists(), model
    assert not tables.WebhookEventTrigger.objects.exists()
    assert not Subscription.objects.exists()
    assert not BillingAccount.objects.exists()
    assert ClosedCustomer.objects.get() in ClosedCustomer.objects.of(customer)


def test_deleting_an_account_cancels_its_subscription_and_deletes_stripes_rows(
    stripe, subscribe, plans, listener, close_account
):
    subscribe(listener, plans.individual)
    stripe.later(days=31)
    [customer] = stripe.customers()

    assert close_account(listener).status_code == 204

    assert stripe.customers() == []
    assert [there["status"] for there in stripe.subscriptions()] == ["canceled"]
    nothing_is_kept(customer["id"])
    assert ClosedCustomer.objects.get().ended_at


def test_later_events_about_a_deleted_account_are_not_stored(
    stripe, subscribe, plans, listener, close_account, mailoutbox
):
    subscribe(listener, plans.individual)
    [customer] = stripe.customers()
    close_account(listener)

    stripe.catch_up(types=())

    nothing_is_kept_of_persons = (tables.Customer, tables.Subscription, tables.Invoice, tables.PaymentMethod)
    assert not any(model.objects.exists() for model in nothing_is_kept_of_persons)
    assert not tables.Event.objects.filter(data__icontains=customer["id"]).exists()
    assert mailoutbox == []


def test_an_account_can_be_deleted_while_stripe_is_down(stripe, subscribe, plans, listener, close_account):
    subscribe(listener, plans.individual)
    [customer] = stripe.customers()
    stripe.fault("down")

    assert close_account(listener).status_code == 204

    assert not User.objects.exists()
    nothing_is_kept(customer["id"])
    assert ClosedCustomer.objects.get().ended_at is None
    stripe.fault("clear")
    run_waiting_tasks()
    assert [there["status"] for there in stripe.subscriptions()] == ["canceled"]


def test_a_subscription_made_during_the_deletion_is_cancelled(stripe, api, plans, subscribe, listener, close_account):
    subscribe(listener, plans.individual)
    [first] = stripe.subscriptions()
    stripe.fault("down")
    close_account(listener)
    stripe.fault("clear")
    price = first["items"]["data"][0]["price"]["id"]
    stripe.post("/v1/subscriptions", customer=first["customer"], items=[{"price": price}], trial_period_days=3)

    created = stripe.events(types=["customer.subscription.created"])[-1]
    assert stripe.post_event(api, json.dumps(created)).status_code == 200

    assert {there["status"] for there in stripe.subscriptions()} == {"canceled"}


def test_members_of_a_deleted_owner_lose_their_seats(stripe, subscribe, plans, listener, artist, api_as, close_account,
                                                      features, mailoutbox):  # fmt: skip
    subscribe(listener, plans.duo)
    api_as(listener).post("/api/subscriptions/members", {"email": "nina@example.com"})
    token = mailoutbox[-1].body.split("token=")[1].split()[0]
    api_as(artist).post("/api/subscriptions/join", {"token": token})
    assert features(artist)["ad_free"]

    close_account(listener)

    assert not features(artist)["ad_free"]
    assert mailoutbox[-1].to == ["artist@example.com"]


def test_a_deleted_member_frees_the_seat(stripe, subscribe, plans, listener, artist, api_as,
                                                          close_account, current, mailoutbox):  # fmt: skip
    subscribe(listener, plans.duo)
    api_as(listener).post("/api/subscriptions/members", {"email": "nina@example.com"})
    token = mailoutbox[-1].body.split("token=")[1].split()[0]
    api_as(artist).post("/api/subscriptions/join", {"token": token})

    close_account(artist)

    assert not Membership.objects.exists()
    assert current(listener)["members_used"] == 1


def test_an_admin_can_delete_an_account_with_a_subscription(stripe, subscribe, plans, listener, client, make_user):
    subscribe(listener, plans.individual)
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))

    answer = client.post(f"/admin/users/user/{listener.pk}/delete/", {"post": "yes"}, follow=True)

    assert answer.status_code == 200
    assert not User.objects.filter(pk=listener.pk).exists()
    assert stripe.customers() == []


def register_again(email):
    answer = APIClient().post("/api/users", {"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.json()
    return User.objects.get(pk=answer.json()["user"]["id"])


@pytest.mark.parametrize("email", ["listener@example.com", "Listener@EXAMPLE.com"])
def test_a_new_account_with_the_same_address_gets_no_second_trial(
    stripe, subscribe, plans, listener, close_account, email
):
    subscribe(listener, plans.individual)
    close_account(listener)

    answer = subscribe(register_again(email), plans.individual)

    assert answer.status_code == 201
    assert (answer.json()["subscription"]["status"], answer.json()["subscription"]["trial_end"]) == ("active", None)


def test_a_checkout_page_gives_no_second_trial_either(
    stripe, subscribe, plans, listener, close_account, api_as, current
):
    subscribe(listener, plans.individual)
    close_account(listener)
    again = register_again("listener@example.com")

    url = api_as(again).post("/api/subscriptions/checkout", {"plan_id": str(plans.duo.pk)}).json()["url"]
    stripe.check_out(url)
    stripe.catch_up()

    assert current(again)["status"] == "active"


@pytest.mark.parametrize("email", ["listener+2@example.com", "another@example.com"])
def test_another_address_gets_a_trial(stripe, subscribe, plans, listener, close_account, email):
    subscribe(listener, plans.individual)
    close_account(listener)

    answer = subscribe(register_again(email), plans.individual)

    assert answer.json()["subscription"]["status"] == "trialing"


def test_an_address_without_a_first_trial_still_gets_one(stripe, subscribe, plans, listener, close_account):
    close_account(listener)

    answer = subscribe(register_again("listener@example.com"), plans.individual)

    assert answer.json()["subscription"]["status"] == "trialing"


def test_after_a_change_of_address_both_addresses_count_as_used(stripe, subscribe, plans, listener, close_account):
    subscribe(listener, plans.individual)
    User.objects.filter(pk=listener.pk).update(email="new@example.com", email_key="new@example.com")
    freed = register_again("listener@example.com")
    assert subscribe(freed, plans.individual).json()["subscription"]["status"] == "active"
    close_account(listener)

    again = register_again("new@example.com")

    assert subscribe(again, plans.individual).json()["subscription"]["status"] == "active"


def test_a_used_trial_is_stored_for_a_year_as_a_keyed_digest(stripe, subscribe, plans, listener, close_account):
    subscribe(listener, plans.individual)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        clock.shift(300 * 24 * 3600)
        close_account(listener)
        stored = UsedTrial.objects.get()
        assert stored.address_digest != sha256(b"listener@example.com").hexdigest()
        clock.shift(364 * 24 * 3600)
        call_command("prune")
        assert UsedTrial.objects.exists()
        clock.shift(2 * 24 * 3600)
        call_command("prune")

    assert not UsedTrial.objects.exists()
