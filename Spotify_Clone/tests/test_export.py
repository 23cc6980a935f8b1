"""The export of personal data: everything about the caller, and of others only what they show."""

import json
import tracemalloc
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from djstripe import models as stripe_tables

from music.models import Album, Genre, Play, RecentlyPlayed, Song, SongCounts
from payments.models import BillingAccount, Membership, StudentApplication, Subscription, SubscriptionPlan
from Spotify_Clone.account.personal_data import SECTIONS
from users.models import FailedLogin, User

pytestmark = pytest.mark.django_db

OF_NOBODY = "says nothing of any person"
COMPUTED = "is computed from what the document has"
ADMIN = "is what an admin may do, set in the admin"
OF_OTHERS = "is what others did; the document has the number"
STRIPE_PART = "is a part of the invoices, or of how they were paid; the portal has it"
STRIPE_UNUSED = "belongs to a part of Stripe that is not used here"

LEFT_OUT = {
    **dict.fromkeys(
        [
            "auth.Group", "auth.Group_permissions", "auth.Permission", "contenttypes.ContentType",
            "music.Ad", "music.Neighbour", "music.TrendRefresh", "payments.SubscriptionPlan", "users.WorkerLease",
            "djstripe.APIKey", "djstripe.Account", "djstripe.AccountV2", "djstripe.CountrySpec", "djstripe.Coupon",
            "djstripe.Feature", "djstripe.Price", "djstripe.Product", "djstripe.ProductFeature",
            "djstripe.PromotionCode", "djstripe.ShippingRate", "djstripe.TaxCode", "djstripe.TaxRate",
            "djstripe.WebhookEndpoint",
        ],
        OF_NOBODY,
    ),
    **dict.fromkeys(
        [
            "music.DailyAppeal", "music.PrunedPlays", "music.Rendition", "music.SearchEntry", "music.SearchWord",
            "music.SongCounts", "music.AudioAnalysis", "music.Trend",
        ],
        COMPUTED,
    ),
    "users.User_groups": ADMIN,
    "users.User_user_permissions": ADMIN,
    "music.ArtistFollow.artist": OF_OTHERS,
    "sessions.Session": "has the account's id and nothing else, signed, until the browser is logged out",
    "payments.ClosedCustomer": "is of accounts that are closed, and has a digest only",
    "djstripe.Customer.subscriber": "is found by the customer's id",
    "djstripe.Event": "repeats, for LOG_DAYS, what the sections of Stripe have",
    "djstripe.WebhookEventTrigger": "repeats, for LOG_DAYS, what the sections of Stripe have",
    "djstripe.Subscription": "is what `subscriptions` is made of",
    "djstripe.SubscriptionItem": "is what `subscriptions` is made of",
    "djstripe.SubscriptionItem_tax_rates": "is what `subscriptions` is made of",
    **dict.fromkeys(
        [
            "djstripe.BalanceTransaction", "djstripe.Charge", "djstripe.Discount", "djstripe.DjstripePaymentMethod",
            "djstripe.Invoice_default_tax_rates", "djstripe.InvoiceItem", "djstripe.InvoiceItem_tax_rates",
            "djstripe.LineItem", "djstripe.PaymentIntent", "djstripe.Refund", "djstripe.Session",
            "djstripe.SetupIntent",
        ],
        STRIPE_PART,
    ),
    **dict.fromkeys(
        [
            "djstripe.ActiveEntitlement", "djstripe.ApplicationFee", "djstripe.ApplicationFeeRefund",
            "djstripe.BankAccount", "djstripe.Card", "djstripe.Dispute", "djstripe.EarlyFraudWarning",
            "djstripe.File", "djstripe.FileLink", "djstripe.IdempotencyKey", "djstripe.IssuingAuthorization",
            "djstripe.IssuingCard", "djstripe.IssuingCardholder", "djstripe.IssuingDispute",
            "djstripe.IssuingTransaction", "djstripe.Mandate", "djstripe.Payout", "djstripe.Review",
            "djstripe.ScheduledQueryRun", "djstripe.Source", "djstripe.SourceTransaction",
            "djstripe.SubscriptionSchedule", "djstripe.TaxId", "djstripe.Transfer", "djstripe.TransferReversal",
            "djstripe.UpcomingInvoice", "djstripe.VerificationReport", "djstripe.VerificationSession",
        ],
        STRIPE_UNUSED,
    ),
}  # fmt: skip


def test_every_table_is_exported_or_excluded_for_a_reason():
    told = {section.model._meta.label for section in SECTIONS}
    tables = {model._meta.label for model in apps.get_models(include_auto_created=True)}

    assert tables - told - LEFT_OUT.keys() == set(), "Add a section to personal_data.py, or a reason here."
    assert {label for label in LEFT_OUT if label.count(".") == 1} & told == set()
    assert {label for label in LEFT_OUT if label.count(".") == 1} <= tables


def test_every_foreign_key_to_a_user_is_exported_or_excluded_for_a_reason():
    told = {f"{section.model._meta.label}.{section.whose}" for section in SECTIONS}
    ways = {f"{way.related_model._meta.label}.{way.field.name}" for way in User._meta.related_objects}

    assert ways - told - LEFT_OUT.keys() == set(), "Add a section to personal_data.py, or a reason here."


@pytest.fixture
def export(api_as):
    return lambda user: api_as(user).get("/api/profile/export")


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="Theirs", artist=artist, album=Album.objects.create(title="On it", artist=artist))
    SongCounts.objects.create(song=song)
    return song


def read(answer):
    return SimpleNamespace(**json.loads(b"".join(answer.streaming_content)))


def test_the_export_is_a_download_that_no_cache_stores(export, listener):
    answer = export(listener)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.has_header("ETag")
    assert read(answer).exported_at.endswith("Z")


def test_the_export_requires_a_login(api, db):
    answer = api.get("/api/profile/export")

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_the_export_works_with_a_slash_and_in_a_browser(client, listener):
    client.force_login(listener)

    answer = client.get("/api/profile/export/", headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_the_export_of_a_new_account_has_every_section(export, listener):
    mine = read(export(listener))

    assert vars(mine).keys() == {"exported_at", *(section.name for section in SECTIONS)}
    assert mine.account["email"] == "listener@example.com"
    assert mine.profile["audio_quality"] == "medium"
    assert [session["device"] for session in mine.sessions] == [""]
    assert mine.billing is None
    assert mine.plays == []


def test_the_export_of_a_listener_has_their_actions(export, api_as, listener, artist, song):
    for deed in ("like", "play", "favorite", "skip"):
        api_as(listener).post(f"/api/songs/{song.pk}/{deed}")
    api_as(listener).post(f"/api/albums/{song.album_id}/favorite")
    api_as(listener).post(f"/api/artists/{artist.pk}/follow")

    mine = read(export(listener))

    about = {"song": str(song.pk), "title": "Theirs", "artist": "The Artist"}
    for rows in (mine.liked_songs, mine.favorite_songs, mine.recently_played, mine.plays, mine.skips):
        assert [{name: row[name] for name in about} for row in rows] == [about]
    [album] = mine.favorite_albums
    assert (album["album"], album["title"], album["artist"]) == (str(song.album_id), "On it", "The Artist")
    assert [(row["artist"], row["name"]) for row in mine.followed_artists] == [(str(artist.pk), "The Artist")]
    assert mine.ads == {"plays_counted": 1}


def test_the_export_of_an_artist_has_their_works_also_private_ones(export, artist, song, listener, api_as):
    Genre.objects.create(title="Waltz", maker=artist)
    Song.objects.filter(pk=song.pk).update(visibility="private")
    api_as(listener).post(f"/api/artists/{artist.pk}/follow")

    mine = read(export(artist))

    [work] = mine.songs
    assert (work["title"], work["album_title"], work["visibility"]) == ("Theirs", "On it", "private")
    assert [row["title"] for row in mine.albums] == ["On it"]
    assert [row["title"] for row in mine.genres] == ["Waltz"]
    assert mine.followers == {"follower_count": 1}


def test_the_export_has_only_visible_names_of_others(export, api_as, listener, artist, song, make_user):
    for path in (f"songs/{song.pk}/like", f"songs/{song.pk}/play", f"artists/{artist.pk}/follow"):
        api_as(listener).post(f"/api/{path}")
    api_as(make_user("fan")).post(f"/api/artists/{artist.pk}/follow")
    Song.objects.update(visibility="private", title="A secret")

    answers = [b"".join(export(user).streaming_content).decode() for user in (listener, artist)]

    assert "A secret" not in answers[0]
    assert str(song.pk) in answers[0]
    assert "artist@example.com" not in answers[0]
    for hidden in ("fan", "listener@example.com", str(listener.pk)):
        assert hidden not in answers[1]


def test_the_export_has_plan_invoices_and_seats(export, listener, artist):
    plan = SubscriptionPlan.objects.get(plan_type="family")
    now = timezone.now()
    BillingAccount.objects.create(user=listener, stripe_customer_id="cus_mine", trial_used_at=now)
    own = {"user": listener, "plan": plan, "stripe_id": "sub_mine", "status": "active", "started_at": now}
    subscription = Subscription.objects.create(**own)
    Membership.objects.create(
        subscription=subscription, email="kid@example.com", token_digest="x", expires_at=now + timedelta(days=7)
    )
    StudentApplication.objects.create(user=listener, school_email="me@school.example")
    customer = stripe_tables.Customer.objects.create(id="cus_mine", stripe_data={"id": "cus_mine", "email": "e@x.org"})
    other = stripe_tables.Customer.objects.create(id="cus_other", stripe_data={"id": "cus_other", "email": "o@x.org"})
    for whose, total in ((customer, 1699), (other, 4242)):
        said = {"total": total, "currency": "usd", "status": "paid", "hosted_invoice_url": "https://stripe.example/i"}
        stripe_tables.Invoice.objects.create(id=f"in_{total}", customer=whose, created=now, stripe_data=said)
    said = {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2030}}
    stripe_tables.PaymentMethod.objects.create(id="pm_mine", customer=customer, stripe_data=said)

    answer = export(listener)

    mine = read(answer)
    assert mine.billing["stripe_customer_id"] == "cus_mine"
    assert (mine.subscriptions[0]["plan_type"], mine.subscriptions[0]["status"]) == ("family", "active")
    assert [(bill["amount"], bill["currency"], bill["status"]) for bill in mine.invoices] == [("16.99", "USD", "paid")]
    assert mine.payment_methods[0]["last4"] == "4242"
    assert mine.stripe_customer["email"] == "e@x.org"
    assert [seat["email"] for seat in mine.members_of_own_plans] == ["kid@example.com"]
    assert mine.student_applications[0]["school_email"] == "me@school.example"
    assert read(export(artist)).invoices == []


def test_the_export_has_the_persons_seats_and_invitations_but_not_their_owners(export, listener, artist):
    plan = SubscriptionPlan.objects.get(plan_type="family")
    now = timezone.now()
    own = {"user": artist, "plan": plan, "stripe_id": "sub_1", "status": "active", "started_at": now}
    subscription = Subscription.objects.create(**own)
    seat = {"subscription": subscription, "expires_at": now + timedelta(days=7)}
    Membership.objects.create(email="Listener@example.com", token_digest="x", **seat)
    Membership.objects.create(email="someone@example.com", token_digest="y", **seat)
    Membership.objects.create(subscription=subscription, email="l@x.org", user=listener, joined_at=now)

    answer = b"".join(export(listener).streaming_content).decode()

    assert '"invitations_received":[{"email":"Listener@example.com"' in answer
    assert '"membership":{' in answer
    for hidden in ("someone@", "artist@", "The Artist", str(artist.pk), '"x"'):
        assert hidden not in answer


def test_the_export_has_failed_logins_and_admin_actions(export, listener, api, artist):
    api.post("/api/login", {"email": "listener@example.com", "password": "wrong"})
    api.post("/api/login", {"email": "artist@example.com", "password": "wrong"})
    kind = ContentType.objects.get_for_model(User)
    entry = {"content_type": kind, "object_id": str(artist.pk), "object_repr": "The Artist", "action_flag": CHANGE}
    LogEntry.objects.create(user=listener, **entry)

    mine = read(export(listener))

    assert FailedLogin.objects.count() == 2
    assert [row.keys() for row in mine.failed_logins] == [{"at"}]
    assert [row["kind"] for row in mine.admin_actions] == ["user"]


def test_the_export_has_no_secret(export, listener):
    answer = b"".join(export(listener).streaming_content).decode()

    for secret in ("password", "digest", "token_key", "client_secret"):
        assert secret not in answer


def test_a_long_history_takes_no_memory(export, listener, song):
    now = timezone.now()
    RecentlyPlayed.objects.create(listener=listener, song=song, last_played_at=now, last_counted_at=now)

    def peak(plays):
        Play.objects.bulk_create(Play(listener=listener, song=song, at=now) for _ in range(plays))
        answer = export(listener)
        tracemalloc.start()
        length = sum(len(piece) for piece in answer.streaming_content)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return length, most

    (few, little), (many, much) = peak(5_000), peak(45_000)

    assert many > 8 * few
    assert much < 1.5 * little


def test_the_number_of_queries_does_not_grow(export, listener, song, django_assert_max_num_queries):
    now = timezone.now()
    Play.objects.bulk_create(Play(listener=listener, song=song, at=now) for _ in range(5_000))

    with django_assert_max_num_queries(len(SECTIONS) + 10):
        read(export(listener))
