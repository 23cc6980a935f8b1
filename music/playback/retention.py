"""Listening history that is not kept any longer. What was counted stays counted."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.jobs.retention import in_batches
from music.catalogue.locks import lock_deletions
from music.catalogue.models import SongCounts
from music.playback.models import Play, PrunedPlays, RecentlyPlayed, Skip

PLAYS_AT_ONCE = 2000


def history_begins(now: datetime) -> datetime | None:
    """At a midnight (UTC), since trends sum up days: one is kept as a whole or not at all. None: at no time."""
    if settings.KEEP_HISTORY is None:
        return None
    return datetime.combine((now - settings.KEEP_HISTORY).date(), time.min, UTC)


def prune_history() -> Iterator[int]:
    """How many rows went, batch by batch."""
    if begins := history_begins(timezone.now()):
        yield from _prune_plays(begins)
        long_ago = Q(last_played_at=None) | Q(last_played_at__lt=begins)
        yield from in_batches(RecentlyPlayed.objects.filter(long_ago, last_counted_at__lt=begins))
        yield from in_batches(Skip.objects.filter(at__lt=begins))


def _prune_plays(before: datetime) -> Iterator[int]:
    while number := _prune_some_plays(before):
        yield number


@transaction.atomic
def _prune_some_plays(before: datetime) -> int:
    # An account that closes takes its plays back from the counters: each play has to go by one way only.
    lock_deletions()
    songs = dict(Play.objects.filter(at__lt=before).order_by("at").values_list("pk", "song")[:PLAYS_AT_ONCE])
    Play.objects.filter(pk__in=songs).delete()
    _keep_counted(Counter(songs.values()))
    return len(songs)


def _keep_counted(plays: Counter[UUID]) -> None:
    PrunedPlays.objects.bulk_create([PrunedPlays(song_id=song) for song in plays], ignore_conflicts=True)
    songs_with: dict[int, list[UUID]] = defaultdict(list)
    for song, number in plays.items():
        songs_with[number].append(song)
    for number, songs in songs_with.items():
        PrunedPlays.objects.filter(song__in=songs).update(number=F("number") + number)
    # Last, because everybody who plays these songs waits for these rows until we commit.
    for number, songs in songs_with.items():
        SongCounts.objects.filter(song__in=songs).update(starting_play_count=F("starting_play_count") + number)
