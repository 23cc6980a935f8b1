"""Admin pages that need several apps: accounts with their subscription, works and plays, and the log."""

import re
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from djstripe.models import Invoice

from core.admin.csv_export import ExportedList
from core.admin.pages import ReadOnlyPages
from core.folding import fold_accents
from music.discovery.search.finder import matching
from music.discovery.search.models import Kind
from music.models import Album, ArtistCounts, Play, Song, SongCounts
from payments.admin import InvoiceAdmin, dashboard_link
from payments.models import BillingAccount, Membership, StudentApplication, Subscription
from users.admin import UserAdmin
from users.models import AuthToken, Role, User

# Longer words are no names, and their patterns would be long.
LONGEST_WORD = 30
SHORTEST_WORD_WITH_TYPO = 4


def one_typo_pattern(word: str) -> str:
    """Return a pattern that matches the word with one letter wrong, missing, added or swapped with the next."""
    letters = [re.escape(letter) for letter in word]
    forms = ["".join([*letters[:at], ".{0,2}", *letters[at + 1 :]]) for at in range(len(letters))]
    swapped = ["".join([*letters[:at], *reversed(letters[at : at + 2]), *letters[at + 2 :]])
               for at in range(len(letters) - 1)]  # fmt: skip
    return f"({'|'.join([*forms, *swapped])})"


def count_up_to(rows: QuerySet, most: int = 10_000) -> str:
    """Return the number of rows as text, counting `most` of them at most."""
    number = rows.order_by().values("pk")[: most + 1].count()
    return f"more than {most:,}" if number > most else f"{number:,}"


def link(name: str, text: str, *args: Any, **query: Any) -> str:
    lookups = "&".join(f"{key}={value}" for key, value in query.items())
    return format_html(
        '<a href="{}{}">{}</a>', reverse(f"admin:{name}", args=args), f"?{lookups}" if query else "", text
    )


def day(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}" if moment else "–"


@admin.register(User)
class AccountAdmin(UserAdmin, ExportedList):
    change_form_template = "admin/account.html"
    csv_columns = {
        "id": "id",
        "username": "username",
        "name": "name",
        "e-mail": "email",
        "e-mail confirmed": "email_confirmed_at",
        "role": "role",
        "active": "is_active",
        "staff": "is_staff",
        "joined": "date_joined",
        "last log-in": "last_login",
    }

    def get_search_results(self, request: HttpRequest, rows: QuerySet, term: str) -> tuple[QuerySet, bool]:
        """Return accounts with the words in name, username or address, and artists that the API's search finds.

        If there are none, return accounts whose words are one typo away.
        """
        term = term.replace("\x00", "").strip()
        if not term:
            return rows, False
        found, _ = super().get_search_results(request, rows, term)
        artists = matching(User.objects.filter(role=Role.ARTIST), term, Kind.ARTIST)
        either = rows.filter(Q(pk__in=found.order_by().values("pk")) | Q(pk__in=artists.order_by().values("pk")))
        return (either if either.exists() else self._misspelled(rows, term)), False

    def _misspelled(self, rows: QuerySet, term: str) -> QuerySet:
        words = fold_accents(term).split()
        if len(words) > 5 or any(not SHORTEST_WORD_WITH_TYPO <= len(word) <= LONGEST_WORD for word in words):
            return rows.none()
        for word in words:
            pattern = one_typo_pattern(word)
            rows = rows.filter(
                Q(name_folded__regex=pattern) | Q(username_key__regex=pattern) | Q(email_key__regex=pattern)
            )
        return rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        extra = {"overview": overview_of(user)} if user else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})


def overview_of(user: User) -> list[tuple[str, str]]:
    """Return the facts above an account's form, as pairs of label and HTML."""
    lines = [("Subscription", _subscription(user)), ("Works", _works(user)), ("Plays", _plays(user))]
    return [*lines, ("Devices", _devices(user)), ("What admins did", _decisions(user))]


def _joined(parts: list[str], separator: str = " · ") -> str:
    return format_html_join(separator, "{}", ((part,) for part in parts if part))


def _subscription(user: User) -> str:
    parts = []
    for subscription in Subscription.objects.open().filter(user=user).select_related("plan"):
        ends = "ends" if subscription.cancel_at_period_end else "renews"
        text = f"{subscription.plan}, {subscription.status}, {ends} {day(subscription.current_period_end)}"
        parts.append(link("payments_subscription_change", text, subscription.pk))
        parts.append(dashboard_link("subscriptions", subscription.stripe_id))
    seat = Membership.objects.filter(user=user).select_related("subscription__user", "subscription__plan").first()
    if seat:
        text = f"{'child' if seat.is_child else 'member'} on {seat.subscription.plan} of {seat.subscription.user}"
        parts.append(link("payments_subscription_change", text, seat.subscription_id))
    parts = parts or ["Free"]
    account = BillingAccount.objects.filter(user=user).first()
    if account:
        parts.append(
            f"free trial used {day(account.trial_used_at)}" if account.trial_used_at else "free trial not used"
        )
        if account.stripe_customer_id:
            query = {"customer__id__exact": account.stripe_customer_id}
            parts.append(link("djstripe_invoice_changelist", "invoices", **query))
    application = StudentApplication.objects.filter(user=user).order_by("-created_at").first()
    if application:
        text = f"student: {application.status}"
        parts.append(link("payments_studentapplication_change", text, application.pk))
    return _joined(parts)


def _works(user: User) -> str:
    songs, albums = Song.objects.filter(artist=user), Album.objects.filter(artist=user)
    query = {"artist__id__exact": user.pk}
    parts = [
        link("music_song_changelist", f"songs: {count_up_to(songs)}", **query),
        link(
            "music_song_changelist", f"hidden: {count_up_to(songs.filter(is_hidden=True))}", **query, is_hidden__exact=1
        ),
        link("music_album_changelist", f"albums: {count_up_to(albums)}", **query),
    ]
    if counts := ArtistCounts.objects.filter(artist=user).first():
        parts.append(f"followers: {counts.follower_count:,}")
    return _joined(parts)


def _plays(user: User) -> str:
    heard = Play.objects.filter(listener=user)
    last = heard.aggregate(last=Max("at"))["last"]
    parts = [f"listened to: {count_up_to(heard)}", f"last {day(last)}" if last else ""]
    if user.is_artist:
        total = SongCounts.objects.filter(song__artist=user).aggregate(total=Sum("play_count"))["total"] or 0
        parts.append(f"plays of their songs: {total:,}")
    return _joined(parts)


def _devices(user: User) -> str:
    tokens = AuthToken.objects.filter(user=user).order_by("-last_used_at")
    parts = [
        link("users_authtoken_change", f"{token.device or 'a device'}, last used {day(token.last_used_at)}", token.pk)
        for token in tokens[:5]
    ]
    if not parts:
        return "none is logged in"
    parts.append(link("users_authtoken_changelist", f"all {count_up_to(tokens)}", user__id__exact=user.pk))
    return _joined(parts)


def _decisions(user: User) -> str:
    kind = ContentType.objects.get_for_model(User)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).select_related("user")[:3]
    texts = [f"{day(entry.action_time)} {entry.user}: {entry.get_change_message()}" for entry in entries]
    return _joined(texts, mark_safe("<br>")) or "nothing"


class LogPages(ReadOnlyPages):
    """Pages of the admin log: actions and reasons, the only record of deleted rows."""

    list_display = ["action_time", "user", "content_type", "object_repr", "action", "message"]
    list_display_links = ["action_time"]
    list_filter = ["action_time", "action_flag", ("content_type", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "content_type"]
    search_fields = ["object_repr", "change_message", "user__name_folded", "user__email"]
    ordering = ["-action_time"]
    fields = ["action_time", "user", "content_type", "object_repr", "action", "message", "object_id"]

    @admin.display(description="action", ordering="action_flag")
    def action(self, entry: LogEntry) -> str:
        return entry.get_action_flag_display()

    @admin.display(description="what and why")
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message() or "–"


admin.site.register(LogEntry, LogPages)
admin.site.register(Invoice, InvoiceAdmin)
