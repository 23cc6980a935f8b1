import pytest

from payments.models import SubscriptionPlan
from payments.plans import entitlements_of

pytestmark = pytest.mark.django_db

PREMIUM = {"audio_quality": "high", "offline_mode": True, "ad_free": True, "skip_limit": None}
FREE = {"audio_quality": "medium", "offline_mode": False, "ad_free": False, "skip_limit": 6}


def test_the_five_plans_are_there_cheapest_first_for_anybody(api):
    answer = api.get("/api/subscriptions")

    assert answer.status_code == 200
    assert (answer.json()["next"], answer.json()["previous"]) == (None, None)
    found = answer.json()["results"]
    assert [(plan["plan_type"], plan["price"], plan["max_members"], plan["trial_days"]) for plan in found] == [
        ("free", "0.00", 1, 0),
        ("student", "5.99", 1, 30),
        ("individual", "10.99", 1, 30),
        ("duo", "14.99", 2, 30),
        ("family", "16.99", 6, 30),
    ]
    assert {(plan["currency"], plan["billing_cycle"]) for plan in found} == {("USD", "month")}
    assert [plan["features"] for plan in found] == [FREE, PREMIUM, PREMIUM, PREMIUM, PREMIUM]
    assert set(found[0]) == {
        *("id", "plan_type", "name", "price", "currency", "billing_cycle", "trial_days", "max_members", "features")
    }


def test_plans_come_in_pages(api):
    seen, url = [], "/api/subscriptions?limit=2"
    while url:
        page = api.get(url).json()
        seen += [plan["plan_type"] for plan in page["results"]]
        url = page["next"]

    assert seen == ["free", "student", "individual", "duo", "family"]


def test_an_admins_change_to_a_plan_shows_at_once(api, plans, settings):
    plans.duo.is_active = False
    plans.duo.save()
    plans.free.skip_limit = 3
    plans.free.save()
    settings.FREE_TRIAL_DAYS = 14

    found = {plan["plan_type"]: plan for plan in api.get("/api/subscriptions").json()["results"]}

    assert "duo" not in found
    assert found["free"]["features"]["skip_limit"] == 3
    assert (found["family"]["trial_days"], found["free"]["trial_days"]) == (14, 0)


def test_a_listener_without_a_subscription_has_the_free_plan(current, features, listener):
    assert current(listener) == {
        "plan": "free",
        "status": None,
        "current_period_end": None,
        "cancel_at_period_end": False,
        "trial_end": None,
        "role": None,
        "max_members": 1,
        "members_used": 1,
    }
    assert features(listener) == FREE


def test_features_take_one_query(listener, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert entitlements_of(listener).skip_limit == 6


def test_a_missing_row_of_the_free_plan_does_not_stop_playback(listener, features):
    SubscriptionPlan.objects.all().delete()

    assert features(listener) == FREE


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "current"),
        ("post", "subscribe"),
        ("post", "cancel"),
        ("post", "resume"),
        ("get", "invoices"),
        ("post", "checkout"),
        ("post", "portal"),
        ("get", "members"),
        ("post", "members"),
        ("post", "join"),
        ("post", "leave"),
        ("get", "student"),
        ("post", "student"),
    ],
)
def test_all_but_the_list_needs_a_token(api, db, method, path):
    assert getattr(api, method)(f"/api/subscriptions/{path}").status_code == 401


@pytest.mark.parametrize("path", ["checkout", "subscribe"])
def test_without_a_stripe_key_payments_are_503_and_the_rest_works(api_as, listener, plans, settings, code, path):
    settings.STRIPE_TEST_SECRET_KEY = ""
    api = api_as(listener)
    api.raise_request_exception = False

    answer = api.post(f"/api/subscriptions/{path}", {"plan_id": str(plans.duo.pk)})

    assert (answer.status_code, code(answer)) == (503, "payments_unavailable")
    assert api.post("/api/subscriptions/portal").status_code == 503
    assert api.get("/api/subscriptions/current").status_code == 200
    assert api.get("/api/subscriptions/invoices").json()["results"] == []
