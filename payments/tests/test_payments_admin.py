import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from payments.models import BillingAccount, Membership, Subscription
from payments.models import SubscriptionPlan as Plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_pages(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def subscription(plans, listener, artist):
    BillingAccount.objects.create(user=listener, stripe_customer_id="cus_1")
    now = timezone.now()
    made = Subscription.objects.create(
        user=listener, plan=plans.duo, stripe_id="sub_1", status="active", started_at=now
    )
    Membership.objects.create(subscription=made, user=artist, email="nina@example.com", joined_at=now)
    return made


@pytest.mark.parametrize("model", ["subscriptionplan", "subscription", "membership", "billingaccount"])
def test_admin_lists_open(admin_pages, subscription, model):
    assert admin_pages.get(f"/admin/payments/{model}/").status_code == 200


@pytest.mark.parametrize("model", ["subscription", "membership", "billingaccount"])
def test_admin_lists_can_be_searched(admin_pages, subscription, model):
    found = admin_pages.get(f"/admin/payments/{model}/?q=listener")
    assert len(found.context["cl"].result_list) == 1


def test_a_subscription_page_shows_its_state_its_members_and_a_link_to_stripe(admin_pages, subscription):
    page = admin_pages.get(f"/admin/payments/subscription/{subscription.pk}/change/").content.decode()

    assert "https://dashboard.stripe.com/test/subscriptions/sub_1" in page
    assert "nina@example.com" in page
    assert "active" in page


def test_subscriptions_are_read_only(admin_pages, subscription):
    page = f"/admin/payments/subscription/{subscription.pk}"

    assert admin_pages.post(f"{page}/change/", {"status": "canceled"}).status_code == 403
    assert admin_pages.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert admin_pages.get("/admin/payments/subscription/add/").status_code == 403


def test_a_plan_can_be_edited(admin_pages, plans, api):
    fields = {
        "name": "Premium Two",
        "price": "15.99",
        "currency": "EUR",
        "billing_cycle": "month",
        "max_members": "2",
        "audio_quality": "high",
        "offline_mode": "on",
        "ad_free": "on",
        "is_active": "on",
    }

    answer = admin_pages.post(f"/admin/payments/subscriptionplan/{plans.duo.pk}/change/", fields)

    assert answer.status_code == 302
    [duo] = [plan for plan in api.get("/api/subscriptions").json()["results"] if plan["plan_type"] == "duo"]
    assert (duo["name"], duo["price"], duo["currency"]) == ("Premium Two", "15.99", "EUR")
    assert admin_pages.post(f"/admin/payments/subscriptionplan/{plans.duo.pk}/delete/").status_code == 403


def plan_form(plan, **fields):
    return {
        "name": plan.name,
        "price": plan.price,
        "currency": plan.currency,
        "billing_cycle": plan.billing_cycle,
        "max_members": plan.max_members,
        "audio_quality": plan.audio_quality,
        "is_active": "on",
        **fields,
    }


def test_a_new_price_asks_for_confirmation_and_shows_subscribers_by_price(
    admin_pages, stripe, subscribe, plans, listener, other_artist
):
    subscribe(listener, plans.duo)
    plans.duo.refresh_from_db()
    path = f"/admin/payments/subscriptionplan/{plans.duo.pk}/change/"

    page = admin_pages.post(path, plan_form(plans.duo, price="16.5"))

    [payers] = page.context["payers"]
    assert (payers.people, payers.in_trial, payers.terms) == (1, 1, "14.99 USD a month")
    assert page.context["plan"].terms == "16.50 USD a month"
    assert str(Plan.objects.get(pk=plans.duo.pk).price) == "14.99"
    sent = dict(page.context["sent"])
    answer = admin_pages.post(path, {**sent, "confirmed": page.context["plan"].terms})
    assert answer.status_code == 302
    assert str(Plan.objects.get(pk=plans.duo.pk).price) == "16.50"
    assert "From 14.99 USD a month to 16.50 USD a month" in LogEntry.objects.get().get_change_message()

    subscribe(other_artist, plans.duo)
    shown = admin_pages.get(path).content.decode()
    assert "1 pays 14.99 USD a month" in shown
    assert "1 pays 16.50 USD a month" in shown


def test_only_the_confirmed_terms_are_saved(admin_pages, subscription, plans):
    path = f"/admin/payments/subscriptionplan/{plans.duo.pk}/change/"
    page = admin_pages.post(path, plan_form(plans.duo, price="20", confirmed="16.50 USD a month"))
    assert page.context["plan"].terms == "20.00 USD a month"
    assert str(Plan.objects.get(pk=plans.duo.pk).price) == "14.99"


def test_other_fields_need_no_confirmation(admin_pages, subscription, plans):
    path = f"/admin/payments/subscriptionplan/{plans.duo.pk}/change/"
    assert admin_pages.post(path, plan_form(plans.duo, name="For two")).status_code == 302


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("free", {"price": "1"}),
        ("duo", {"price": "-1"}),
        ("duo", {"price": "1e5000"}),
        ("duo", {"price": "10.50", "currency": "JPY"}),
        ("duo", {"price": "NaN"}),
    ],
)
def test_impossible_prices_are_refused(admin_pages, subscription, plans, kind, fields):
    plan = getattr(plans, kind)
    page = admin_pages.post(f"/admin/payments/subscriptionplan/{plan.pk}/change/", plan_form(plan, **fields))
    assert set(page.context["adminform"].form.errors) == {"price"}
