"""Every admin page of every model, with good and with bad input."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from djstripe import models as stripe_tables

from music.models import Play, Song
from payments.models import BillingAccount, Membership, SubscriptionPlan
from tests.routes.world import make_world
from users.models import AuthToken, User

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label != "djstripe"]
STRIPE_TABLES = [model for model in admin.site._registry if model._meta.app_label == "djstripe"]
GARBAGE = ["", "\x00", "9" * 40, "[]²"]


@pytest.fixture
def world(settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUES": []}}
    world = make_world()
    account = BillingAccount.objects.create(user=world.owner, stripe_customer_id="cus_1", trial_used_at=timezone.now())
    customer = stripe_tables.Customer.objects.create(id="cus_1", livemode=False)
    stripe_tables.Invoice.objects.create(
        id="in_1",
        customer=customer,
        livemode=False,
        created=timezone.now(),
        stripe_data={
            "number": "=A-1",
            "total": 1499,
            "currency": "eur",
            "status": "paid",
            "hosted_invoice_url": "https://x",
        },
    )
    Play.objects.create(listener=world.owner, song=world.song, at=timezone.now())
    LogEntry.objects.log_actions(world.admin.pk, [world.owner], 2, "Suspended. Reason: Spam")
    assert account.pk == world.owner.pk
    return world


@pytest.fixture
def pages(client, world):
    client.force_login(world.admin)
    client.raise_request_exception = True
    return client


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def names_in(page) -> set[str]:
    """Return the names of the fields in a page's forms, except for those that only Django's scripts fill in."""
    found = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page.content.decode())
    return {name for name in found if not name.endswith("_FORMS")}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_answers_good_and_bad_input(pages, model):
    row = model._default_manager.first()
    lists, add = address(model, "changelist"), address(model, "add")
    own = [address(model, page, row.pk) for page in ("change", "delete", "history")] if row else []
    for path in [lists, add, *own]:
        assert pages.get(path).status_code in (200, 403), path  # tables of dj-stripe can only be read
    forms = {path: names_in(pages.get(path)) for path in (add, *own[:1]) if pages.get(path).status_code == 200}
    for value in GARBAGE:
        for name in ("q", "p", "o", "_popup", "pk__in", *list_filters(model)):
            assert pages.get(lists, {name: value}, follow=True).status_code < 500, (name, value)
        for path, names in forms.items():
            assert pages.post(path, dict.fromkeys(names, value)).status_code < 500, (path, value)
        for page in ("change", "delete", "history"):
            assert pages.get(address(model, page, value or "x"), follow=True).status_code < 500, (page, value)


def list_filters(model) -> list[str]:
    """Return the query parameters of the list's filters."""
    names = [field if isinstance(field, str) else field[0] for field in admin.site._registry[model].list_filter]
    return [f"{name}{lookup}" for name in names for lookup in ("__exact", "__gte", "__isempty")]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_action_answers_good_and_bad_input(pages, world, model):
    row, lists = model._default_manager.first(), address(model, "changelist")
    chosen = [str(row.pk)] if row else []
    request = pages.get(lists).wsgi_request
    for action in [*admin.site._registry[model].get_actions(request), "no such action", ""]:
        if action == "suspend":
            continue  # the row may be the admin who is logged in, and all later requests would be refused
        for selected in (chosen, [], ["x"], ["\x00"], ["00000000-0000-4000-8000-000000000000"], ["9" * 40]):
            for rest in ({}, {"confirm": "yes", "reason": "\x00"}, {"index": "9" * 30}):
                sent = {"action": action, "_selected_action": selected, **rest}
                answer = pages.post(lists, sent)
                assert answer.status_code < 500, (action, selected, rest)
                b"".join(answer.streaming_content if answer.streaming else [])


@pytest.mark.parametrize("model", STRIPE_TABLES, ids=lambda model: model._meta.label)
def test_tables_of_dj_stripe_can_only_be_read(pages, model):
    row = model._default_manager.first()
    assert pages.get(address(model, "changelist"), {"q": "x"}).status_code == 200
    assert pages.get(address(model, "add")).status_code == 403
    if row:
        assert pages.get(address(model, "change", row.pk)).status_code == 200
        assert pages.get(address(model, "history", row.pk)).status_code == 200
        assert pages.post(address(model, "change", row.pk), {"id": "other"}).status_code == 403
        assert pages.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert set(admin.site._registry[model].get_actions(pages.get(address(model, "changelist")).wsgi_request)) <= {
        "export"
    }


def test_secrets_of_stripe_are_on_no_page(pages):
    key = stripe_tables.APIKey.objects.create(secret="sk_test_verysecret", type="secret", livemode=False)
    hook = stripe_tables.WebhookEndpoint.objects.create(
        id="we_1", secret="whsec_verysecret", livemode=False, url="https://x", api_version="x", enabled_events=["*"]
    )
    for row in (key, hook):
        for path in (address(type(row), "changelist"), address(type(row), "change", row.pk)):
            assert "verysecret" not in pages.get(path).content.decode()


def test_the_index_lists_our_models_and_one_link_to_stripe(pages):
    page = pages.get("/admin/").content.decode()
    tables = set(re.findall(r'href="/admin/djstripe/([^"]*)"', page))
    assert tables == {"", "invoice/"}
    assert page.index("/admin/music/song/") < page.index("/admin/users/user/") < page.index("/admin/djstripe/invoice/")
    assert "/admin/djstripe/customer/" in pages.get("/admin/djstripe/").content.decode()


def test_the_page_of_an_account_begins_with_an_overview(pages, world):
    page = pages.get(address(User, "change", world.owner.pk)).content.decode()
    top = page[page.index("At a glance") : page.index('class="form-row')]
    for text in (
        "Premium Family",
        "active",
        "songs: 4",
        "hidden: 1",
        "albums: 2",
        "listened to: 1",
        "Spam",
        "free trial used",
    ):
        assert text in top
    token = AuthToken.objects.get(user=world.owner)
    assert f"/admin/users/authtoken/{token.pk}/change/" in top
    assert "member on Premium Family" in pages.get(address(User, "change", world.member.pk)).content.decode()
    for link in re.findall(r'href="(/admin/[^"]+)"', top):
        assert pages.get(link.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/admin/users/user/export/", "owner@example.com"),
        ("/admin/payments/subscription/export/", "owner@example.com"),
        ("/admin/djstripe/invoice/export/", "'=A-1,"),
        ("/admin/djstripe/invoice/export/", "owner@example.com,paid,14.99,EUR,cus_1,in_1"),
    ],
)
def test_lists_are_exported_as_csv(pages, world, path, text):
    answer = pages.get(path)
    assert "no-store" in answer["Cache-Control"]
    assert text in b"".join(answer.streaming_content).decode()
    assert "as CSV" in LogEntry.objects.latest("action_time").get_change_message()
    assert "as CSV" in pages.get(path.removesuffix("export/")).content.decode()
    assert pages.get(path, {"nonsense": "\x00"}).status_code == 302
    assert pages.get(path, {"created__gte": "nonsense"}).status_code in (302, 400)


def test_only_staff_who_may_see_a_list_can_export_it(client, world, make_user):
    client.force_login(make_user("helper", is_staff=True))
    assert client.get("/admin/users/user/export/").status_code == 403


@pytest.mark.parametrize("model", [*MODELS, stripe_tables.Invoice], ids=lambda model: model._meta.label)
def test_a_list_takes_no_query_for_each_row(pages, world, model):
    lists = address(model, "changelist")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert pages.get(lists).status_code == 200
        return len(captured)

    before = queries()
    for number in range(5):
        add_row(model, world, number)
    assert queries() <= before + 1


def add_row(model, world, number):
    person = User.objects.create_user(f"more{number}@example.com", f"more{number}", role="artist")
    row = model._default_manager.order_by("pk").first()
    if row is None or model is User:
        return
    row.pk = None if model._meta.auto_field else row.pk
    for field in model._meta.concrete_fields:
        if field.primary_key and field.get_internal_type() == "UUIDField":
            setattr(row, field.attname, field.get_default())
        elif field.related_model is User:
            setattr(row, field.name, person)
        elif field.unique and field.get_internal_type() in ("CharField", "TextField"):
            setattr(row, field.attname, f"unique{number}"[:25])
        elif field.unique and field.null:
            setattr(row, field.attname, None)
    if hasattr(row, "title"):
        row.title = f"Title {number}"
    if hasattr(row, "name"):
        row.name = f"Name {number}"
    if isinstance(row, SubscriptionPlan):
        return
    if isinstance(row, Membership):
        row.email, row.token_digest = person.email, None
    row._state.adding = True
    row.save(force_insert=True)
    if model is Song:
        row.counts = type(world.song.counts).objects.create(song=row)
