import pytest

from payments.models import BillingAccount, PaymentRequest, Subscription
from tests.stripe_server import StripeRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(api_as):
    return lambda user, path, body=None: api_as(user).post(f"/api/subscriptions/{path}", body or {})


def charged(stripe):
    return sum(charge["amount"] for charge in stripe.all("charges") if charge["paid"])


@pytest.mark.parametrize("payment_method", ["pm_card_visa", None])
def test_the_first_subscription_starts_with_the_free_trial(
    stripe, subscribe, plans, listener, current, features, payment_method
):
    answer = subscribe(listener, plans.individual, payment_method)

    assert answer.status_code == 201
    subscription = answer.json()["subscription"]
    assert answer.json()["client_secret"] is None
    assert (subscription["plan"], subscription["status"], subscription["role"]) == ("individual", "trialing", "owner")
    assert subscription["trial_end"] == subscription["current_period_end"] is not None
    assert current(listener) == subscription
    assert features(listener) == {"audio_quality": "high", "offline_mode": True, "ad_free": True, "skip_limit": None}
    assert charged(stripe) == 0
    [there] = stripe.subscriptions()
    assert there["trial_end"] - there["trial_start"] == 30 * 24 * 3600
    assert there["trial_settings"]["end_behavior"]["missing_payment_method"] == "cancel"


def test_the_profile_shows_the_same_subscription(stripe, subscribe, plans, listener, api_as, current):
    subscribe(listener, plans.family)

    shown = api_as(listener).get("/api/profile").json()["subscription"]
    assert shown == {name: current(listener)[name] for name in shown}
    assert set(shown) == {"plan", "status", "current_period_end", "cancel_at_period_end", "trial_end"}


def test_a_plan_with_high_quality_lets_the_listener_prefer_it(stripe, subscribe, plans, listener, api_as):
    subscribe(listener, plans.individual)

    answer = api_as(listener).patch("/api/profile", {"audio_quality": "high", "offline_mode": True})
    assert answer.status_code == 200


def test_a_user_gets_one_trial(stripe, subscribe, plans, listener, post):
    subscribe(listener, plans.individual)
    post(listener, "cancel")
    stripe.later(days=31)

    answer = subscribe(listener, plans.duo)

    assert answer.status_code == 201
    assert answer.json()["subscription"]["status"] == "active"
    assert answer.json()["subscription"]["trial_end"] is None
    assert charged(stripe) == 1499


def test_subscribing_without_trial_and_card_asks_for_a_payment_method(stripe, subscribe, plans, listener, code):
    BillingAccount.objects.create(user=listener, trial_used_at="2026-01-01T00:00Z")

    answer = subscribe(listener, plans.individual, None)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "payment_method")
    assert not Subscription.objects.exists()


def test_a_stored_card_pays_for_a_new_subscription(stripe, subscribe, plans, listener, post):
    subscribe(listener, plans.individual)
    post(listener, "cancel")
    stripe.later(days=31)

    assert subscribe(listener, plans.individual, None).status_code == 201
    assert charged(stripe) == 1099


def test_switching_plans_keeps_one_subscription_and_is_prorated(stripe, subscribe, plans, listener, current):
    subscribe(listener, plans.individual)
    stripe.later(days=31)  # the trial is over, and the first month is paid

    answer = subscribe(listener, plans.family, None)

    assert answer.status_code == 200
    assert answer.json()["subscription"]["plan"] == current(listener)["plan"] == "family"
    assert Subscription.objects.count() == len(stripe.subscriptions()) == 1
    stripe.later(days=31)
    newest = stripe.invoices(stripe.customers()[0]["id"])[0]
    assert newest["total"] > 1699
    assert len(newest["lines"]["data"]) == 3  # credit for the old plan, the rest of the month, and the next month


def test_switching_plans_keeps_the_trial(stripe, subscribe, plans, listener):
    trial_end = subscribe(listener, plans.individual).json()["subscription"]["trial_end"]

    changed = subscribe(listener, plans.duo).json()["subscription"]

    assert (changed["status"], changed["trial_end"]) == ("trialing", trial_end)


def test_a_cancellation_can_be_taken_back_before_the_period_ends(stripe, subscribe, plans, listener, post, features):
    subscribe(listener, plans.individual)

    answer = post(listener, "cancel")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["cancel_at_period_end"]) == ("trialing", True)
    assert features(listener)["ad_free"]

    answer = post(listener, "resume")
    assert (answer.status_code, answer.json()["cancel_at_period_end"]) == (200, False)
    stripe.later(days=31)
    assert features(listener)["ad_free"]


def test_a_cancelled_subscription_ends_with_the_period(
    stripe, subscribe, plans, listener, post, current, features, code
):
    subscribe(listener, plans.individual)
    post(listener, "cancel")

    stripe.later(days=31)

    assert (current(listener)["plan"], current(listener)["role"]) == ("free", None)
    assert not features(listener)["ad_free"]
    answer = post(listener, "resume")
    assert (answer.status_code, code(answer)) == (400, "no_subscription")


@pytest.mark.parametrize("action", ["cancel", "resume", "portal", "leave"])
def test_cancel_and_resume_need_a_subscription(stripe, listener, post, code, action):
    answer = post(listener, action)

    assert (answer.status_code, code(answer)) == (400, "no_subscription")


def test_the_same_plan_again_is_refused(stripe, subscribe, plans, listener, code):
    subscribe(listener, plans.individual)

    answer = subscribe(listener, plans.individual)

    assert (answer.status_code, code(answer)) == (400, "already_subscribed")
    assert len(stripe.subscriptions()) == 1


def test_the_free_plan_needs_no_subscription(stripe, subscribe, plans, listener, code):
    answer = subscribe(listener, plans.free)

    assert (answer.status_code, code(answer)) == (400, "free_plan")


@pytest.mark.parametrize("plan_id", ["", "nonsense", "00000000-0000-4000-8000-000000000000", None])
def test_an_unknown_plan_is_an_error_at_plan_id(stripe, api_as, listener, plan_id):
    answer = api_as(listener).post("/api/subscriptions/subscribe", {"plan_id": plan_id})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "plan_id")


def test_a_plan_that_is_not_on_offer_is_refused(stripe, subscribe, plans, listener):
    plans.duo.is_active = False
    plans.duo.save()

    assert subscribe(listener, plans.duo).status_code == 400


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_chargeCustomerFail"])
def test_a_declined_card_changes_nothing(stripe, subscribe, plans, listener, code, current, card):
    BillingAccount.objects.create(user=listener, trial_used_at="2026-01-01T00:00Z")

    answer = subscribe(listener, plans.individual, card)

    assert (answer.status_code, code(answer)) == (400, "card_declined")
    assert current(listener)["plan"] == "free"
    assert stripe.subscriptions() == []
    assert [card for card in stripe.all("payment_methods") if card["customer"]] == []
    assert subscribe(listener, plans.individual).status_code == 201


def test_a_declined_card_leaves_plan_and_trial_unchanged(stripe, subscribe, plans, listener, code, current):
    assert code(subscribe(listener, plans.individual, "pm_card_chargeDeclined")) == "card_declined"
    assert subscribe(listener, plans.individual).json()["subscription"]["status"] == "trialing"

    assert code(subscribe(listener, plans.family, "pm_card_chargeDeclined")) == "card_declined"
    assert current(listener)["plan"] == "individual"


def card_of(stripe, customer=None):
    """Create a card, attached to the customer if one is given."""
    card = stripe.post("/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    if customer:
        stripe.post(f"/v1/payment_methods/{card}/attach", customer=customer)
    return card


@pytest.fixture
def unusable_cards(stripe, subscribe, plans, artist):
    """Return cards that the listener can't pay with."""
    subscribe(artist, plans.individual)
    [customer] = stripe.customers()
    detached = card_of(stripe, customer["id"])
    stripe.post(f"/v1/payment_methods/{detached}/detach")
    elsewhere = card_of(stripe, stripe.post("/v1/customers", email="stranger@example.com")["id"])
    return {
        "unknown": "pm_unknown",
        "no id at all": "../customers/x?y=1&ü",
        "another person's": card_of(stripe, customer["id"]),
        "attached to a stranger": elsewhere,
        "detached before": detached,
    }


@pytest.mark.parametrize(
    "kind", ["unknown", "no id at all", "another person's", "attached to a stranger", "detached before"]
)
def test_an_unusable_card_is_an_error_at_payment_method(
    stripe, subscribe, plans, listener, unusable_cards, current, kind
):
    before = len(stripe.subscriptions())

    answer = subscribe(listener, plans.individual, unusable_cards[kind])

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["attr"], error["code"]) == ("payment_method", "invalid")
    assert current(listener)["plan"] == "free"
    assert len(stripe.subscriptions()) == before
    assert subscribe(listener, plans.individual).json()["subscription"]["status"] == "trialing"


def test_switching_plans_with_an_unusable_card_is_an_error_at_payment_method(
    stripe, subscribe, plans, listener, unusable_cards, current
):
    subscribe(listener, plans.individual)

    answer = subscribe(listener, plans.duo, unusable_cards["another person's"])

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "payment_method")
    assert current(listener)["plan"] == "individual"


def test_an_unknown_card_and_another_customers_get_the_same_error(stripe, subscribe, plans, listener, unusable_cards):
    answers = [subscribe(listener, plans.individual, unusable_cards[kind]) for kind in ("unknown", "another person's")]

    assert answers[0].json() == answers[1].json()


def test_a_card_that_is_already_attached_to_the_customer_pays(stripe, subscribe, plans, listener):
    subscribe(listener, plans.individual, None)
    [customer] = stripe.customers()
    mine = card_of(stripe, customer["id"])

    assert subscribe(listener, plans.duo, mine).status_code == 200

    assert stripe.subscriptions()[0]["default_payment_method"] == mine


def test_a_declined_card_that_was_attached_before_stays_attached(stripe, subscribe, plans, listener, code):
    BillingAccount.objects.create(user=listener, trial_used_at="2026-01-01T00:00Z")
    subscribe(listener, plans.individual, "pm_card_chargeDeclined")
    [customer] = stripe.customers()
    mine = card_of(stripe, customer["id"])
    stripe.card_becomes(mine, "chargeCustomerFail")

    assert code(subscribe(listener, plans.individual, mine)) == "card_declined"

    assert stripe.get(f"/v1/payment_methods/{mine}")["customer"] == customer["id"]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_payment_method_counts_as_not_sent(stripe, api_as, plans, listener, blank):
    body = {"plan_id": str(plans.individual.pk), "payment_method": blank}

    answer = api_as(listener).post("/api/subscriptions/subscribe", body)

    assert (answer.status_code, answer.json()["subscription"]["status"]) == (201, "trialing")


@pytest.mark.parametrize(
    ("card", "stripe_says"),
    [
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action"),
        ("pm_card_threeDSecure2Required", "authentication_required"),
    ],
)
def test_a_card_that_needs_confirmation_leaves_the_subscription_incomplete(
    stripe, subscribe, plans, listener, features, card, stripe_says
):
    BillingAccount.objects.create(user=listener, trial_used_at="2026-01-01T00:00Z")

    answer = subscribe(listener, plans.individual, card)

    assert (answer.status_code, answer.json()["subscription"]["status"]) == (201, "incomplete")
    assert not features(listener)["ad_free"]
    stripe.confirm(answer.json()["client_secret"])
    stripe.catch_up()
    assert features(listener)["ad_free"]
    assert charged(stripe) == 1099
    [there] = stripe.subscriptions()
    items = [{"price": there["items"]["data"][0]["price"]["id"]}]
    with pytest.raises(StripeRefused, match=f'"code": "{stripe_says}"'):
        stripe.post("/v1/subscriptions", customer=there["customer"], items=items,
                    default_payment_method=there["default_payment_method"],
                    payment_behavior="error_if_incomplete")  # fmt: skip


def test_a_card_may_need_confirmation_at_the_start_of_the_trial(stripe, subscribe, plans, listener):
    answer = subscribe(listener, plans.individual, "pm_card_authenticationRequiredOnSetup")

    assert answer.json()["subscription"]["status"] == "trialing"
    stripe.confirm(answer.json()["client_secret"])
    stripe.later(days=31)
    assert charged(stripe) == 1099


def test_a_subscription_that_was_never_confirmed_is_replaced(stripe, subscribe, plans, listener, current):
    BillingAccount.objects.create(user=listener, trial_used_at="2026-01-01T00:00Z")
    subscribe(listener, plans.individual, "pm_card_authenticationRequired")

    answer = subscribe(listener, plans.individual)

    assert (answer.status_code, current(listener)["status"]) == (201, "active")
    stripe.catch_up()
    assert current(listener)["status"] == "active"
    assert charged(stripe) == 1099


def test_the_same_idempotency_key_gets_the_same_answer(stripe, subscribe, plans, listener):
    first = subscribe(listener, plans.individual, **{"Idempotency-Key": "one"})
    again = subscribe(listener, plans.individual, **{"Idempotency-Key": "one"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(stripe.subscriptions()) == 1


def test_a_declined_card_stays_declined_under_the_same_idempotency_key(stripe, subscribe, plans, listener):
    answers = [
        subscribe(listener, plans.individual, "pm_card_chargeDeclined", **{"Idempotency-Key": "one"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json() == answers[1].json()


def test_an_idempotency_key_is_valid_for_one_request_of_one_user(stripe, subscribe, plans, listener, artist, code):
    subscribe(listener, plans.individual, **{"Idempotency-Key": "one"})

    answer = subscribe(listener, plans.duo, **{"Idempotency-Key": "one"})
    assert (answer.status_code, code(answer)) == (400, "idempotency_key_reused")
    assert subscribe(artist, plans.duo, **{"Idempotency-Key": "one"}).status_code == 201


def test_a_second_payment_request_is_refused_while_one_runs(stripe, subscribe, plans, listener, code):
    running = {"plan": str(plans.duo.pk), "payment_method": "pm_card_visa"}
    PaymentRequest.objects.create(user=listener, key="one", asked=running, running_until="2200-01-01T00:00Z")

    for headers in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "two"}, {}):
        answer = subscribe(listener, plans.duo, **headers)
        assert (answer.status_code, code(answer)) == (409, "in_progress")
    assert stripe.subscriptions() == []


def test_checkout_returns_a_page_that_starts_the_trial(stripe, post, plans, listener, current):
    answer = post(listener, "checkout", {"plan_id": str(plans.duo.pk)})

    assert answer.status_code == 200
    session = stripe.check_out(answer.json()["url"])
    assert session["success_url"].startswith("http://localhost:3000/")
    assert current(listener)["plan"] == "free"
    stripe.catch_up()
    assert (current(listener)["plan"], current(listener)["status"]) == ("duo", "trialing")


def test_two_checkout_pages_make_one_subscription(stripe, post, plans, listener, current):
    urls = [post(listener, "checkout", {"plan_id": str(plan.pk)}).json()["url"] for plan in (plans.duo, plans.family)]
    for url in urls:
        stripe.check_out(url)

    stripe.catch_up()
    stripe.catch_up()

    assert current(listener)["plan"] == "duo"
    assert sorted(there["status"] for there in stripe.subscriptions()) == ["canceled", "trialing"]
    assert Subscription.objects.open().count() == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://localhost:3000@evil.example/",
        "http://me@localhost:3000/",
        "http://localhost:3000\\@evil.example/",
        "http://localhost:3001/",
        "http://localhost:x/",
        "https://localhost:3000/",
        "javascript:alert(1)",
        "/subscription",
        "//x",
        "http://[",
    ],
)
def test_return_addresses_on_other_sites_are_refused(stripe, post, plans, listener, address):
    for path, field in (("checkout", "success_url"), ("checkout", "cancel_url"), ("portal", "return_url")):
        answer = post(listener, path, {"plan_id": str(plans.duo.pk), field: address})
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, field)


@pytest.mark.parametrize(
    ("frontend", "address", "is_on_it"),
    [
        ("http://localhost:3000", "http://LOCALHOST:3000", True),
        ("https://music.example", "https://music.example:443/thanks?x=1#top", True),
        ("https://music.example/app", "https://music.example/app", True),
        ("https://music.example/app", "https://music.example/app/thanks", True),
        ("https://music.example/app", "https://music.example/application", False),
        ("https://music.example/app", "https://music.example/", False),
    ],
)
def test_default_return_addresses_are_on_the_frontend(stripe, post, plans, listener, settings, frontend, address,
                                                       is_on_it):  # fmt: skip
    settings.FRONTEND_URL = frontend

    answer = post(listener, "checkout", {"plan_id": str(plans.duo.pk), "success_url": address, "cancel_url": address})

    assert answer.status_code == (200 if is_on_it else 400)


def test_the_portal_for_a_customer_deleted_at_stripe_is_refused(stripe, subscribe, post, plans, listener, code):
    subscribe(listener, plans.individual)
    stripe.ask("DELETE", f"/v1/customers/{stripe.customers()[0]['id']}")

    answer = post(listener, "portal")

    assert (answer.status_code, code(answer)) == (400, "no_subscription")


def test_switching_a_subscription_that_has_ended_at_stripe_starts_a_new_one(
    stripe, subscribe, plans, listener, current
):
    subscribe(listener, plans.individual)
    stripe.ask("DELETE", f"/v1/subscriptions/{stripe.subscriptions()[0]['id']}")

    answer = subscribe(listener, plans.duo)

    assert (answer.status_code, current(listener)["plan"], current(listener)["status"]) == (201, "duo", "active")


def test_changes_made_in_the_portal_are_synced(stripe, subscribe, post, plans, listener, current):
    subscribe(listener, plans.individual)

    url = post(listener, "portal", {"return_url": "http://localhost:3000/back"}).json()["url"]
    stripe.in_portal(url, "cancel")
    stripe.catch_up()

    assert current(listener)["cancel_at_period_end"]
    assert not post(listener, "resume").json()["cancel_at_period_end"]


def test_invoices_are_listed_newest_first(stripe, subscribe, plans, listener, artist, api_as):
    subscribe(listener, plans.individual)
    stripe.later(days=31)

    found = api_as(listener).get("/api/subscriptions/invoices").json()["results"]

    assert [(invoice["amount"], invoice["currency"], invoice["status"]) for invoice in found] == [
        ("10.99", "USD", "paid"),
        ("0.00", "USD", "paid"),
    ]
    assert found[0]["url"].startswith("https://")
    assert found[0]["date"] > found[1]["date"]
    page = api_as(listener).get("/api/subscriptions/invoices?limit=1").json()
    assert api_as(listener).get(page["next"]).json()["results"] == found[1:]
    assert api_as(artist).get("/api/subscriptions/invoices").json()["results"] == []


def test_a_changed_price_applies_to_new_subscribers_only(stripe, subscribe, plans, listener, artist, current):
    subscribe(listener, plans.individual)
    plans.individual.price = "11.99"
    plans.individual.save()

    subscribe(artist, plans.individual)

    prices = [there["items"]["data"][0]["price"]["unit_amount"] for there in stripe.subscriptions()]
    assert prices == [1199, 1099]
    stripe.catch_up()
    assert current(listener)["plan"] == current(artist)["plan"] == "individual"
