import pytest
from djstripe import models as tables

from conftest import PASSWORD
from payments.tests.waiting_tasks import run_waiting_tasks

pytestmark = pytest.mark.django_db


@pytest.fixture
def change_email(api, api_as, mailoutbox):
    def change(user, email):
        api_as(user).post("/api/email/change", {"email": email, "password": PASSWORD})
        token = mailoutbox[-1].body.split("token=")[1].split()[0]
        return api.post("/api/email/verify", {"token": token})

    return change


def test_stripe_gets_the_new_address(stripe, subscribe, plans, listener, change_email):
    subscribe(listener, plans.individual)

    assert change_email(listener, "sam@example.org").status_code == 204

    assert [customer["email"] for customer in stripe.customers()] == ["sam@example.org"]
    stripe.catch_up()
    assert tables.Customer.objects.get().stripe_data["email"] == "sam@example.org"


def test_the_address_can_be_changed_while_stripe_is_down(stripe, subscribe, plans, listener, change_email):
    subscribe(listener, plans.individual)
    stripe.fault("down")

    assert change_email(listener, "sam@example.org").status_code == 204

    stripe.fault("clear")
    assert [customer["email"] for customer in stripe.customers()] == ["listener@example.com"]
    run_waiting_tasks()
    assert [customer["email"] for customer in stripe.customers()] == ["sam@example.org"]


def test_no_customer_is_created_for_a_user_who_never_paid(stripe, listener, change_email):
    assert change_email(listener, "sam@example.org").status_code == 204

    assert stripe.customers() == []
