"""The sections of the export: which rows and columns of each table are a person's. A test finds tables without one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery
from django_tasks_db.models import DBTaskResult
from djstripe import models as stripe_tables

from core.folding import fold_address
from music.models import (
    AdPlayCounter,
    Album,
    ArtistCounts,
    ArtistFollow,
    FavoriteAlbum,
    FavoriteSong,
    Genre,
    GivenAd,
    Play,
    RecentlyPlayed,
    Skip,
    Song,
    SongLike,
)
from payments.api.serializers import InvoiceSerializer
from payments.models import BillingAccount, Membership, PaymentRequest, StudentApplication, Subscription, UsedTrial
from payments.models.trials import address_digest
from users.deletion import admin_log_about, tasks_about
from users.login import failed_logins_of
from users.mail import mails_of
from users.models import AuthToken, FailedLogin, SentMail, User, UserProfile

ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Section:
    """A table's rows that concern a person, and the columns that the person gets."""

    name: str
    model: type[Model]
    # The foreign key to the person, or a function that makes the condition.
    whose: str | Callable[[User], Q]
    fields: list[str] = field(default_factory=list)
    computed: Callable[[User], dict[str, Any]] = lambda user: {}
    # Makes the exported values from a row, if its columns alone do not have them.
    export: Callable[[Any], dict[str, Any]] | None = None
    order: str = "pk"
    # At most one row, exported as an object, or null, in place of a list.
    is_single: bool = False

    def rows(self, user: User) -> QuerySet:
        whose = self.whose(user) if callable(self.whose) else Q(**{self.whose: user.pk})
        return self.model._base_manager.filter(whose).order_by(self.order)

    def read(self, user: User) -> Iterator[dict[str, Any]]:
        if self.export:
            return map(self.export, self.rows(user).iterator(ROWS_AT_ONCE))
        return self.rows(user).values(*self.fields, **self.computed(user)).iterator(ROWS_AT_ONCE)


# Of other people's works the export has the public names. They are null if the person may not see the work any more.


def song_of(user: User) -> dict[str, Any]:
    songs = Song.objects.visible_to(user).filter(pk=OuterRef("song"))
    return {"title": Subquery(songs.values("title")), "artist": Subquery(songs.values("artist__name"))}


def album_of(user: User) -> dict[str, Any]:
    albums = Album.objects.visible_to(user).filter(pk=OuterRef("album"))
    return {"title": Subquery(albums.values("title")), "artist": Subquery(albums.values("artist__name"))}


def artist_of(user: User) -> dict[str, Any]:
    return {"name": Subquery(User.objects.artists().filter(pk=OuterRef("artist")).values("name"))}


def names_of_song(user: User) -> dict[str, Any]:
    counts = {name: F(f"counts__{name}") for name in ("play_count", "like_count")}
    return {"album_title": F("album__title"), "genre_title": F("genre__title"), **counts}


def plan_of_subscription(user: User) -> dict[str, Any]:
    return {"plan_type": F("plan__plan_type")}


def plan_of_seat(user: User) -> dict[str, Any]:
    return {"plan_type": F("subscription__plan__plan_type")}


def at_stripe(field_name: str) -> Callable[[User], Q]:
    def whose(user: User) -> Q:
        accounts = BillingAccount.objects.filter(user=user, stripe_customer_id__isnull=False)
        return Q(**{f"{field_name}__in": list(accounts.values_list("stripe_customer_id", flat=True))})

    return whose


def customer(row: stripe_tables.Customer) -> dict[str, Any]:
    return {name: row.stripe_data.get(name) for name in ("id", "email", "name", "created")}


def payment_method(row: stripe_tables.PaymentMethod) -> dict[str, Any]:
    card = row.stripe_data.get("card") or {}
    return {
        "id": row.id,
        "type": row.stripe_data.get("type"),
        **{name: card.get(name) for name in ("brand", "last4", "exp_month", "exp_year")},
    }


def invoice(row: stripe_tables.Invoice) -> dict[str, Any]:
    return dict(InvoiceSerializer(row).data)


def trial_of_address(user: User) -> Q:
    return Q(address_digest=address_digest(user.email_key)) if user.email_key else Q(pk=None)


def invitations_to(user: User) -> Q:
    return Q(email_key=fold_address(user.email)) & Q(user=None) if user.email else Q(pk=None)


def decision(entry: LogEntry) -> dict[str, Any]:
    """Return what an admin did to the person or their works, and why, but not which admin."""
    return {
        "action_time": entry.action_time,
        "kind": entry.content_type.model if entry.content_type else None,
        "of": entry.object_repr,
        "what": entry.get_change_message(),
    }


# fmt: off
SECTIONS = [
    Section("account", User, "pk", [
        "id", "email", "email_confirmed_at", "username", "name", "role", "date_joined", "last_login", "signed_out_at",
        "updated_at", "is_active", "is_staff", "is_superuser",
    ], is_single=True),
    Section("profile", UserProfile, "user", ["profile_picture", "audio_quality", "offline_mode", "updated_at"],
            is_single=True),
    Section("sessions", AuthToken, "user", ["id", "device", "created", "last_used_at", "expiry"], order="created"),
    Section("failed_logins", FailedLogin, lambda user: Q(pk__in=failed_logins_of(user).values("pk")), ["at"]),
    Section("mails", SentMail, mails_of, ["at"], order="at"),
    Section("songs", Song, "artist", [
        "id", "title", "track_number", "disc_number", "duration", "release_date", "explicit", "visibility", "is_hidden",
        "licensing_info", "audio_file", "audio_format", "audio_bytes", "bitrate", "created_at", "updated_at",
    ], names_of_song, order="created_at"),
    Section("albums", Album, "artist", ["id", "title", "release_date", "cover_image", "created_at", "updated_at"],
            order="created_at"),
    Section("genres", Genre, "maker", ["id", "title", "created_at"], order="created_at"),
    Section("followers", ArtistCounts, "artist", ["follower_count"], is_single=True),
    Section("liked_songs", SongLike, "listener", ["song", "created_at"], song_of, order="created_at"),
    Section("favorite_songs", FavoriteSong, "listener", ["song", "created_at"], song_of, order="created_at"),
    Section("favorite_albums", FavoriteAlbum, "listener", ["album", "created_at"], album_of, order="created_at"),
    Section("followed_artists", ArtistFollow, "follower", ["artist", "created_at"], artist_of, order="created_at"),
    Section("recently_played", RecentlyPlayed, "listener", ["song", "last_played_at", "last_counted_at"], song_of,
            order="last_counted_at"),
    Section("plays", Play, "listener", ["song", "at"], song_of, order="at"),
    Section("skips", Skip, "listener", ["song", "at"], song_of, order="at"),
    Section("ads", AdPlayCounter, "listener", computed=lambda user: {"plays_counted": F("plays")}, is_single=True),
    Section("given_ads", GivenAd, "listener", ["times", "impressions", "clicks"], lambda user: {"link": F("ad__link")}),
    Section("billing", BillingAccount, "user", ["stripe_customer_id", "trial_used_at"], is_single=True),
    Section("used_trial", UsedTrial, trial_of_address, ["noted_at"], is_single=True),
    Section("subscriptions", Subscription, "user", [
        "id", "stripe_id", "status", "started_at", "current_period_end", "cancel_at_period_end", "trial_end",
    ], plan_of_subscription, order="started_at"),
    Section("payment_requests", PaymentRequest, "user", ["key", "asked", "status_code", "created_at"],
            order="created_at"),
    Section("stripe_customer", stripe_tables.Customer, at_stripe("id"), export=customer, is_single=True),
    Section("payment_methods", stripe_tables.PaymentMethod, at_stripe("customer"), export=payment_method),
    Section("invoices", stripe_tables.Invoice, at_stripe("customer"), export=invoice, order="created"),
    Section("membership", Membership, "user", ["id", "email", "is_child", "joined_at"], plan_of_seat, is_single=True),
    Section("invitations_received", Membership, invitations_to, ["email", "is_child", "created_at", "expires_at"],
            plan_of_seat),
    Section("members_of_own_plans", Membership, "subscription__user", [
        "id", "email", "is_child", "created_at", "joined_at", "expires_at",
    ], order="created_at"),
    Section("student_applications", StudentApplication, "user", [
        "id", "status", "school_email", "document", "created_at", "decided_at", "expires_at",
    ], order="created_at"),
    Section("tasks", DBTaskResult, lambda user: Q(pk__in=tasks_about(user).values("pk")), [
        "task_path", "status", "enqueued_at", "run_after", "finished_at",
    ], order="enqueued_at"),
    Section("admin_actions", LogEntry, "user", ["action_time", "action_flag"],
            lambda user: {"kind": F("content_type__model")}, order="action_time"),
    Section("decided_by_admins", LogEntry, admin_log_about, export=decision, order="action_time"),
]
# fmt: on
