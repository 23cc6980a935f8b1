import json
from itertools import permutations

import pytest
from djstripe.models import Customer, Event, WebhookEndpoint, WebhookEventTrigger

from payments.models import Subscription
from payments.stripe import webhooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(stripe, subscribe, plans, listener):
    """Return the events of the listener's subscription, none of them delivered yet."""
    subscribe(listener, plans.individual)
    return stripe.events()


@pytest.fixture
def event(events):
    return json.dumps(next(event for event in events if event["type"] == "customer.subscription.created"))


def tampered(body):
    return body.replace("trialing", "active")


def test_a_signed_event_is_stored_once(stripe, api, event, mailoutbox):
    answers = [stripe.post_event(api, event) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert Event.objects.count() == 1
    assert Subscription.objects.get().status == "trialing"
    assert mailoutbox == []


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "nonsense"},
        {"stripe-signature": "t=1,v1=0"},
        {"stripe-signature": "t=x,v1=ü"},
    ],
)
def test_an_unsigned_event_is_refused(stripe, api, event, settings, headers, debug, code):
    settings.DEBUG = debug

    answer = api.post("/api/stripe/webhook", event, content_type="application/json", headers=headers)

    assert (answer.status_code, code(answer)) == (400, "invalid_signature")
    assert not Event.objects.exists()
    assert not WebhookEventTrigger.objects.exists()


def test_an_old_or_foreign_signature_is_refused(stripe, api, event):
    assert stripe.post_event(api, event, age=280).status_code == 200
    assert stripe.post_event(api, event, age=320).status_code == 400
    assert stripe.post_event(api, event, secret="whsec_another").status_code == 400


@pytest.mark.parametrize("debug", [False, True])
def test_a_signing_secret_sent_in_a_header_is_refused(stripe, api, event, settings, debug):
    from tests.stripe_server import signature

    settings.DEBUG = debug
    forged = tampered(event)
    for secret in ("whsec_mine", settings.STRIPE_WEBHOOK_SECRET):
        headers = {"stripe-signature": signature(forged, secret=secret), "x-djstripe-webhook-secret": "whsec_mine"}
        answer = api.post("/api/stripe/webhook", forged, content_type="application/json", headers=headers)
        assert answer.status_code == 400
    assert not Event.objects.exists()


def test_without_a_webhook_secret_every_event_is_refused(stripe, api, event, settings):
    settings.STRIPE_WEBHOOK_SECRET = ""

    assert stripe.post_event(api, event, secret="").status_code == 400


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "{}", '{"id": "evt_1", "type": "ping", "data": {}}', '"\\ud800"']
)
def test_signed_nonsense_is_refused(stripe, api, body, code):
    answer = stripe.post_event(api, body)

    assert (answer.status_code, code(answer)) == (400, "invalid_event")


def test_the_webhook_secret_is_always_the_one_in_the_settings(stripe, api, event, settings):
    stripe.post_event(api, event)
    settings.STRIPE_WEBHOOK_SECRET = "whsec_new"

    assert stripe.post_event(api, event).status_code == 400
    assert stripe.post_event(api, event, secret="whsec_new").status_code == 200
    assert WebhookEndpoint.objects.get().secret == "whsec_new"


def test_an_event_of_an_unknown_type_is_stored_and_ignored(stripe, api, event):
    unknown = {**json.loads(event), "id": "evt_unknown", "type": "moon.landed"}

    assert stripe.post_event(api, json.dumps(unknown)).status_code == 200
    assert Event.objects.get().type == "moon.landed"


def test_only_the_ids_in_an_event_are_used(stripe, api, event):
    # An event may be old when it arrives. What counts is what Stripe answers then.
    assert stripe.post_event(api, tampered(event)).status_code == 200
    assert Subscription.objects.get().status == "trialing"


def test_the_path_works_with_a_slash_too(stripe, api, event):
    from tests.stripe_server import signature

    answer = api.post(
        "/api/stripe/webhook/",
        event,
        content_type="application/json",
        headers={"stripe-signature": signature(event)},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_events_in_any_order_have_one_outcome(stripe, api, api_as, events, listener, current, mailoutbox, order):
    # Subscribed, cancelled at once in Stripe's dashboard, and subscribed again on a Checkout page.
    url = api_as(listener).post("/api/subscriptions/portal").json()["url"]
    stripe.in_portal(url, "cancel")
    stripe.advance(days=31)
    kinds = ["customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"]
    three = [stripe.events(types=[kind])[0] for kind in kinds]

    answers = stripe.deliver(api, [three[number] for number in order])

    assert [answer.status_code for answer in answers] == [200] * 3
    assert current(listener)["plan"] == "free"
    assert Subscription.objects.get().status == "canceled"
    assert [mail.subject for mail in mailoutbox] == ["Your Premium Individual plan has ended"]


def test_a_failing_receiver_stores_nothing_and_the_next_delivery_works(stripe, api, event, monkeypatch):
    Subscription.objects.all().delete()
    api.raise_request_exception = False

    def fails(*args, **kwargs):
        Subscription.objects.all().delete()
        raise RuntimeError("as the test wants it")

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "sync_subscription", fails)
        assert stripe.post_event(api, event).status_code == 500
    assert not Event.objects.exists()

    assert stripe.post_event(api, event).status_code == 200
    assert Event.objects.count() == Subscription.objects.count() == 1


def test_while_stripe_is_down_an_event_is_answered_502(stripe, api, event):
    api.raise_request_exception = False
    stripe.fault("down")
    assert stripe.post_event(api, event).status_code == 502
    assert not Event.objects.exists()

    stripe.fault("clear")
    assert stripe.post_event(api, event).status_code == 200


def test_every_event_type_of_stripe_is_accepted(stripe, subscribe, plans, listener):
    # dj-stripe processes more types than we need. None may fail, or Stripe would deliver it again for days.
    subscribe(listener, plans.individual)
    stripe.advance(days=31)
    subscribe(listener, plans.family)

    stripe.catch_up(types=())


def test_customers_of_another_product_are_ignored(stripe, plans, subscribe, listener, current):
    subscribe(listener, plans.individual)
    plans.individual.refresh_from_db()
    stranger = stripe.post("/v1/customers", email="stranger@example.com")
    price = plans.individual.stripe_price_id
    stripe.post("/v1/subscriptions", customer=stranger["id"], items=[{"price": price}], trial_period_days=3)

    stripe.catch_up()

    assert Subscription.objects.get().user == listener


STRANGER = "cus_stranger"


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("customer.created", {"object": "customer", "id": STRANGER}),
        ("customer.subscription.updated", {"object": "subscription", "id": "sub_x", "customer": STRANGER}),
        ("customer.subscription.updated", {"object": "subscription", "id": "sub_x", "customer": {"id": STRANGER}}),
        ("checkout.session.completed", {"object": "checkout.session", "id": "cs_x", "customer": STRANGER}),
        ("invoice.paid", {"object": "invoice", "id": "in_x", "customer": STRANGER, "subscription": "sub_x"}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_x", "customer": STRANGER}),
        ("payment_method.attached", {"object": "payment_method", "id": "pm_x", "customer": STRANGER}),
        ("payment_method.detached", {"object": "payment_method", "id": "pm_x", "customer": None}),
        ("charge.succeeded", {"object": "charge", "id": "ch_x", "customer": STRANGER}),
    ],
)
def test_events_of_customers_that_are_not_ours_are_ignored(stripe, plans, subscribe, listener, api, kind, about):
    # The Stripe account may serve other products, and an object of the other mode can't even be fetched.
    subscribe(listener, plans.individual)
    data = {"object": about}
    if kind == "payment_method.detached":
        data["previous_attributes"] = {"customer": STRANGER}

    for _ in range(2):
        assert stripe.post_event(api, event_of(kind, data)).status_code == 200

    assert not Event.objects.exists()
    assert not WebhookEventTrigger.objects.exists()
    assert not Customer.objects.filter(id=STRANGER).exists()


def event_of(kind, data):
    return json.dumps({"id": "evt_x", "object": "event", "type": kind, "livemode": False, "created": 1_700_000_000,
                       "api_version": "2026-08-26.dahlia", "pending_webhooks": 1, "data": data})  # fmt: skip


@pytest.mark.parametrize("about", [{"object": "invoice", "id": "in_gone"}, {"object": "charge", "id": "ch_gone"}])
def test_an_event_about_a_deleted_object_is_accepted_and_not_stored(stripe, plans, subscribe, listener, api, about):
    subscribe(listener, plans.individual)
    [customer] = stripe.customers()
    kind = {"invoice": "invoice.updated", "charge": "charge.updated"}[about["object"]]

    for owner in (customer["id"], None):
        answer = stripe.post_event(api, event_of(kind, {"object": {**about, "customer": owner}}))
        assert answer.status_code == 200


def test_subscriptions_to_other_products_are_ignored(stripe, plans, subscribe, listener):
    subscribe(listener, plans.individual)
    [customer] = stripe.customers()
    product = stripe.post("/v1/products", name="A T-shirt each month")
    price = stripe.post(
        "/v1/prices", product=product["id"], currency="usd", unit_amount=900, recurring={"interval": "month"}
    )
    stripe.post("/v1/subscriptions", customer=customer["id"], items=[{"price": price["id"]}], trial_period_days=3)

    stripe.catch_up()

    assert Subscription.objects.count() == 1
