"""Deletion of listening history that is older than KEEP_HISTORY. Play counts stay as they are."""

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

PLAYS_PER_BATCH = 2000


def history_begins(now: datetime) -> datetime | None:
    """Return the midnight (UTC) before which history is deleted; None if all of it is kept.

    It is a midnight because trends sum up whole days: a day is kept or deleted as a whole.
    """
    if settings.KEEP_HISTORY is None:
        return None
    return datetime.combine((now - settings.KEEP_HISTORY).date(), time.min, UTC)


def prune_history() -> Iterator[int]:
    """Delete what is too old, and yield the number of deleted rows batch by batch."""
    begins = history_begins(timezone.now())
    if begins is None:
        return
    while deleted := prune_batch_of_plays(begins):
        yield deleted
    invisible_or_old = Q(last_played_at=None) | Q(last_played_at__lt=begins)
    yield from in_batches(RecentlyPlayed.objects.filter(invisible_or_old, last_counted_at__lt=begins))
    yield from in_batches(Skip.objects.filter(at__lt=begins))


@transaction.atomic
def prune_batch_of_plays(before: datetime) -> int:
    """Delete up to PLAYS_PER_BATCH plays, and add them to the starting values of their songs. Return the number."""
    # A closing account subtracts its plays from the counters. Without the lock a play could be subtracted there and
    # added to the starting value here.
    lock_deletions()
    song_by_play = dict(Play.objects.filter(at__lt=before).order_by("at").values_list("pk", "song")[:PLAYS_PER_BATCH])
    Play.objects.filter(pk__in=song_by_play).delete()
    plays_by_song = Counter(song_by_play.values())
    PrunedPlays.objects.bulk_create([PrunedPlays(song_id=song) for song in plays_by_song], ignore_conflicts=True)
    # One UPDATE for all songs with the same number of plays: most have one or two.
    songs_by_number: dict[int, list[UUID]] = defaultdict(list)
    for song, number in plays_by_song.items():
        songs_by_number[number].append(song)
    for number, songs in songs_by_number.items():
        PrunedPlays.objects.filter(song__in=songs).update(number=F("number") + number)
    # Last: these rows are shared by all listeners of the songs and stay locked until the transaction commits.
    for number, songs in songs_by_number.items():
        SongCounts.objects.filter(song__in=songs).update(starting_play_count=F("starting_play_count") + number)
    return len(song_by_play)
