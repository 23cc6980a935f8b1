"""Pruning deletes expired rows, and changes no count, trend or recommendation that was made from them."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from djstripe.models import Event, WebhookEventTrigger

from conftest import PASSWORD
from core.jobs.retention import EVERY, prune_daily
from music.discovery.trending.refresh import refresh
from music.models import (
    DailyAppeal,
    Genre,
    Play,
    RecentlyPlayed,
    SearchWord,
    Skip,
    Song,
    SongCounts,
    SongLike,
    Trend,
    TrendRefresh,
)
from music.playback import retention as history
from payments.models import ClosedCustomer, Membership, PaymentRequest, Subscription, SubscriptionPlan
from payments.models.subscriptions import digest_of
from users.models import AuthToken, FailedLogin

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def month(settings):
    settings.KEEP_HISTORY = timedelta(days=30)


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song, starting_play_count=7, play_count=7)
    return song


def played(song, listener, *, days_ago, times=1):
    at = NOON - timedelta(days=days_ago)
    Play.objects.bulk_create(Play(song=song, listener=listener, at=at) for _ in range(times))
    counts = SongCounts.objects.get(song=song)
    counts.play_count += times
    counts.save()
    RecentlyPlayed.objects.update_or_create(
        song=song, listener=listener, defaults={"last_played_at": at, "last_counted_at": at}
    )
    Skip.objects.create(song=song, listener=listener, at=at)


def prune():
    printed = StringIO()
    call_command("prune", stdout=printed)
    return dict(line.rsplit(": ", 1) for line in printed.getvalue().splitlines())


def counts_of(song):
    counts = SongCounts.objects.get(song=song)
    return counts.play_count, counts.starting_play_count, Play.objects.filter(song=song).count()


def all_is_counted():
    call_command("recount", check=True)
    return True


def trend_of(song):
    return {name: pytest.approx(getattr(Trend.objects.get(song=song), name)) for name in ("overall", "month", "week")}


def test_history_is_kept_by_default(song, listener):
    played(song, listener, days_ago=3000)

    assert prune()["listening history"] == "0 removed"
    assert counts_of(song) == (8, 7, 1)


def test_old_history_is_deleted_and_counts_stay(month, song, listener, artist):
    played(song, artist, days_ago=31, times=5)
    played(song, listener, days_ago=29, times=3)
    assert all_is_counted()

    assert prune()["listening history"] == "7 removed"

    assert counts_of(song) == (15, 12, 3)
    assert all_is_counted()
    assert [row.listener for row in RecentlyPlayed.objects.all()] == [listener]
    assert [skip.listener for skip in Skip.objects.all()] == [listener]


def test_pruning_twice_changes_nothing(month, song, listener):
    played(song, listener, days_ago=31)
    prune()

    assert prune()["listening history"] == "0 removed"
    assert counts_of(song) == (8, 8, 0)


def test_a_day_is_kept_or_deleted_as_a_whole(month, song, listener):
    midnight = NOON.replace(hour=0) - timedelta(days=30)
    for at in (midnight, midnight - timedelta(seconds=1)):
        Play.objects.create(song=song, listener=listener, at=at)

    prune()

    assert Play.objects.get().at == midnight


def test_pruning_can_be_interrupted_between_batches(month, song, listener, monkeypatch):
    monkeypatch.setattr(history, "PLAYS_PER_BATCH", 2)
    played(song, listener, days_ago=31, times=5)
    batches = history.prune_history()
    assert next(batches) == 2

    batches.close()

    assert counts_of(song) == (12, 9, 3)
    assert all_is_counted()
    prune()
    assert counts_of(song) == (12, 12, 0)


def test_deleting_an_account_uncounts_only_plays_that_were_not_pruned(month, song, listener, api_as):
    played(song, listener, days_ago=31, times=2)
    played(song, listener, days_ago=1, times=3)
    prune()

    assert api_as(listener).delete("/api/profile", {"password": PASSWORD}).status_code == 204

    assert counts_of(song) == (9, 9, 0)
    assert all_is_counted()


def test_trends_do_not_change_when_history_is_pruned(month, song, listener, artist, api):
    with time_machine.travel(NOON - timedelta(days=31)):
        SongLike.objects.create(song=song, listener=artist)
    played(song, artist, days_ago=31, times=50)
    played(song, listener, days_ago=31)
    played(song, listener, days_ago=2)
    api.get("/api/songs/trending")
    before, days = trend_of(song), list(DailyAppeal.objects.values("day", "weight"))

    prune()
    TrendRefresh.objects.update(at=NOON - timedelta(days=60))  # so that the refresh reads the old like again
    refresh()

    assert trend_of(song) == before
    assert list(DailyAppeal.objects.values("day", "weight")) == days


def test_plays_that_no_trend_has_counted_are_summed_before_they_are_deleted(month, song, listener):
    played(song, listener, days_ago=40)

    prune()

    [day] = DailyAppeal.objects.all()
    assert (day.day, day.weight) == ((NOON - timedelta(days=40)).date(), 1.0)
    imported, played_here = 0.1 * 7, 0.1 + 0.9 * 2 ** (-40 / 14)
    assert Trend.objects.get(song=song).overall == pytest.approx(imported + played_here)


def test_recommendations_work_without_history(month, song, listener, api_as):
    played(song, listener, days_ago=31)
    prune()

    answer = api_as(listener).get("/api/songs/recommendations")

    assert answer.status_code == 200
    assert api_as(listener).get("/api/songs/recently_played").json()["results"] == []


def test_a_row_that_is_used_between_reading_and_deleting_stays(month, song, listener, monkeypatch):
    played(song, listener, days_ago=31)
    rows = RecentlyPlayed.objects.filter(last_counted_at__lt=NOON - timedelta(days=30))
    real = type(rows).values_list

    def and_then_it_is_played(self, *fields, **options):
        keys = real(self, *fields, **options)
        if self.model is RecentlyPlayed and fields == ("pk",):
            found = list(keys[:1000])
            RecentlyPlayed._base_manager.update(last_played_at=NOON, last_counted_at=NOON)
            return found
        return keys

    monkeypatch.setattr(type(rows), "values_list", and_then_it_is_played)
    prune()

    assert RecentlyPlayed.objects.get().last_played_at == NOON


def test_expired_rows_are_deleted(listener, artist, api_as, client):
    for days in (-1, 1):
        AuthToken.objects.filter(pk=AuthToken.objects.create(listener)[0].pk).update(expiry=NOON + timedelta(days=days))
        Session.objects.create(session_key=str(days), session_data="", expire_date=NOON + timedelta(days=days))
        FailedLogin.objects.create(account="x", address="y", at=NOON + timedelta(days=days * 2 - 0.5))
    plan = SubscriptionPlan.objects.get(plan_type="family")
    paid = {"user": artist, "plan": plan, "stripe_id": "sub_1", "status": "active", "started_at": NOON}
    subscription = Subscription.objects.create(**paid)
    for days in (-1, 1):
        expires_at = NOON + timedelta(days=days)
        seat = {"email": f"{days}@x.org", "token_digest": str(days), "expires_at": expires_at}
        Membership.objects.create(subscription=subscription, **seat)
    Membership.objects.create(subscription=subscription, user=listener, email="l@x.org", joined_at=NOON)
    with time_machine.travel(NOON - timedelta(hours=25)):
        PaymentRequest.objects.create(user=listener, key="old", asked={})
    PaymentRequest.objects.create(user=listener, key="new", asked={})

    printed = prune()

    for what in ("tokens", "browser sessions", "failed log-ins", "invitations", "payment requests"):
        assert printed[what] == "1 removed", what
    assert AuthToken.objects.get().expiry > NOON
    assert Session.objects.get().session_key == "1"
    assert {seat.email for seat in Membership.objects.all()} == {"1@x.org", "l@x.org"}
    assert PaymentRequest.objects.get().key == "new"


def test_logs_are_deleted_after_their_days(settings):
    settings.KEEP_LOGS = timedelta(days=10)
    task = {"args_kwargs": {}, "task_path": "x", "run_after": NOON, "exception_class_path": "", "traceback": ""}
    for days in (9, 11):
        at = NOON - timedelta(days=days)
        for status in ("FAILED", "SUCCESSFUL"):
            DBTaskResult.objects.create(status=status, finished_at=at, **task)
        DBTaskResult.objects.create(status="READY", **{**task, "run_after": at})
        ClosedCustomer.objects.create(customer_digest=digest_of(str(days)), ended_at=at)
        with time_machine.travel(at):
            event = Event.objects.create(id=f"evt_{days}", created=at, livemode=False, data={}, type="x")
            WebhookEventTrigger.objects.create(event=event, remote_ip="127.0.0.1", headers={}, body="{}")
    ClosedCustomer.objects.create(customer_digest="still at Stripe")

    printed = prune()

    assert (printed["finished tasks"], printed["Stripe's events"]) == ("2 removed", "2 removed")
    assert DBTaskResult.objects.filter(status="READY").count() == 2
    assert Event.objects.get().id == "evt_9"
    assert WebhookEventTrigger.objects.count() == 1
    assert {row.customer_digest for row in ClosedCustomer.objects.all()} == {digest_of("9"), "still at Stripe"}


def test_search_words_without_a_name_are_deleted(api):
    Genre.objects.create(title="Zeppelinwaltz")
    gone = Genre.objects.create(title="Quagmirepolka")
    gone.delete()

    assert prune()["search words"] == "1 removed"

    assert not SearchWord.objects.filter(word="quagmirepolka").exists()
    found = api.get("/api/songs/search?q=zepelinwaltz&type=genre").json()["genres"]
    assert [genre["title"] for genre in found] == ["Zeppelinwaltz"]


def test_each_daily_run_schedules_the_next(settings, month, song, listener):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    played(song, listener, days_ago=31)

    prune_daily.call()

    assert counts_of(song) == (8, 8, 0)
    [waiting] = DBTaskResult.objects.filter(task_path=prune_daily.module_path)
    assert waiting.run_after - timezone.now() == EVERY
