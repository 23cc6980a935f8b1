"""The scores of trending songs: plays and likes are summed by day, and the days decay with age."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, FloatField, Max, Min
from django.db.models.functions import Cast, Ln, TruncDate
from django.utils import timezone

from music.catalogue.models import Song, SongCounts
from music.discovery.trending.models import DailyAppeal, Trend, TrendRefresh
from music.library.models import SongLike
from music.playback.models import Play
from music.playback.retention import history_begins, prune_history

# The API promises scores at most a minute old. From STALE_AFTER on, a request refreshes them after its response is
# sent; from TOO_STALE_AFTER on, before. So only the first request after a pause waits for a refresh.
STALE_AFTER = timedelta(seconds=30)
TOO_STALE_AFTER = timedelta(seconds=50)
# A refresh after the response may not happen: the server may stop, or a 304 may have replaced the response.
TRY_AGAIN_AFTER = timedelta(seconds=5)
# Events are not committed in the order of their ids and times, so each refresh looks so far back again.
OVERLAP_IN_TIME = timedelta(minutes=2)
OVERLAP_IN_PLAYS = 2000
LIKE_WEIGHT = 2.0
CHUNK = 2000
# The half-lives are such that a day older than this hardly changes its weight any more (by less than a hundredth).
FADING_DAYS = 100


@dataclass(frozen=True)
class Decay:
    """Exponential decay of a day's weight with its age in days, down to a floor and up to a maximum age.

    weight(age) = floor + (1 - floor) * 2 ** (-age / half_life), as in Cormode et al., "Forward Decay: A Practical
    Time Decay Model for Streaming Systems" (2009), with the floor added.
    """

    days: int | None
    half_life: float
    floor: float = 0.0

    def weight(self, age: int) -> float:
        if self.days is not None and age >= self.days:
            return 0.0
        return self.floor + (1 - self.floor) * 2 ** (-age / self.half_life)


# By the columns of Trend. Imported plays have no date: in `overall` they weigh as much as the oldest plays, the floor.
DECAYS = {
    "overall": Decay(days=None, half_life=14, floor=0.1),
    "month": Decay(days=30, half_life=7),
    "week": Decay(days=7, half_life=2),
}


def refresh_if_stale(*, afterwards: Callable[[Callable[[], None]], object]) -> None:
    """Refresh the scores if they are stale and no other process is refreshing them.

    If they are still fresh enough for this response, pass the refresh to `afterwards`, which runs it once the response
    is sent.
    """
    # `add` sets the key in one process only, which keeps the others from the database until it expires.
    if not cache.add("trends_are_looked_after", True, TRY_AGAIN_AFTER.total_seconds()):
        return
    if cache.get("trends_will_do"):
        afterwards(_refresh_unless_running)
    else:
        _refresh_unless_running()


def _refresh_unless_running() -> None:
    now = timezone.now()
    TrendRefresh.objects.get_or_create(pk=1)
    with transaction.atomic():
        last = TrendRefresh.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if last is None:  # another process holds the row and is refreshing
            return
        # A time in the future is of a clock that has been set back since.
        is_fresh = now - STALE_AFTER < last.at <= now
        if not is_fresh:
            TrendRefresh.objects.filter(pk=1).update(at=now, last_play=_refresh(last, now))
    age = now - last.at if is_fresh else timedelta()
    cache.set("trends_are_looked_after", True, (STALE_AFTER - age).total_seconds())
    cache.set("trends_will_do", True, (TOO_STALE_AFTER - age).total_seconds())


def refresh() -> None:
    """Refresh the scores now, after waiting for another process that is refreshing them."""
    now = timezone.now()
    TrendRefresh.objects.get_or_create(pk=1)
    with transaction.atomic():
        last = TrendRefresh.objects.select_for_update().get(pk=1)
        TrendRefresh.objects.filter(pk=1).update(at=now, last_play=_refresh(last, now))


def start_trends(songs: list[Song], **kwargs: object) -> None:
    """Receiver for songs_added: give each song a score, without which no list would have it."""
    starts = SongCounts.objects.filter(song__in=songs).values_list("song", "starting_play_count")
    Trend.objects.bulk_create(Trend(song_id=song, overall=DECAYS["overall"].floor * plays) for song, plays in starts)


def _refresh(last: TrendRefresh, now: datetime) -> int:
    """Sum the new events by day and score their songs. Return the id of the last play that was seen."""
    plays = Play.objects.filter(pk__gt=last.last_play - OVERLAP_IN_PLAYS)
    likes = SongLike.objects.filter(created_at__gte=last.at - OVERLAP_IN_TIME)
    seen = plays.aggregate(last=Max("pk"), first_time=Min("at"))
    first_like = likes.aggregate(time=Min("created_at"))["time"]
    first_time = min((at for at in (seen["first_time"], first_like) if at), default=now)
    songs = {*plays.values_list("song", flat=True).distinct(), *likes.values_list("song", flat=True).distinct()}
    if last.at.date() != now.date():  # the first refresh of a day: all earlier days have aged
        fading = DailyAppeal.objects.filter(day__gt=now.date() - timedelta(days=FADING_DAYS))
        songs |= set(fading.values_list("song", flat=True))
    # Days whose plays may have been pruned already must not be summed again, or their sums would shrink. The first
    # refresh has no sums to protect. The hour is a margin for pruning that starts after midnight during this refresh.
    begins = history_begins(now + timedelta(hours=1)) if last.last_play else None
    first_day = max(first_time, begins or first_time).date()
    song_ids = sorted(songs)
    for start in range(0, len(song_ids), CHUNK):
        chunk = song_ids[start : start + CHUNK]
        _sum_days(chunk, first_day)
        _score(chunk, now.date())
    return max(seen["last"] or 0, last.last_play)


def _sum_days(songs: list[UUID], first_day: date) -> None:
    """Replace the songs' daily sums from `first_day` on.

    weight = listeners + ln(plays) / 10 + LIKE_WEIGHT * likes: each listener counts once a day, and a hundred plays by
    the same listener add only half a listener.
    """
    start = datetime.combine(first_day, time.min, UTC)
    plays = Play.objects.filter(song__in=songs, at__gte=start).values("song", day=TruncDate("at"))
    likes = SongLike.objects.filter(song__in=songs, created_at__gte=start).values("song", day=TruncDate("created_at"))
    listeners = Cast(Count("listener", distinct=True), FloatField())
    days: dict[tuple[UUID, date], float] = defaultdict(float)
    plays = plays.annotate(weight=listeners + Ln(Count("pk")) / 10)
    for song, day, weight in plays.values_list("song", "day", "weight"):
        days[song, day] += weight
    for song, day, number in likes.annotate(number=Count("pk")).values_list("song", "day", "number"):
        days[song, day] += LIKE_WEIGHT * number
    DailyAppeal.objects.bulk_create(
        [DailyAppeal(song_id=song, day=day, weight=weight) for (song, day), weight in days.items()],
        update_conflicts=True,
        unique_fields=["song", "day"],
        update_fields=["weight"],
    )


def _score(songs: list[UUID], today: date) -> None:
    appeal: dict[UUID, dict[date, float]] = defaultdict(dict)
    for song, day, weight in DailyAppeal.objects.filter(song__in=songs).values_list("song", "day", "weight"):
        appeal[song][day] = weight
    # Plays that were pruned are part of the starting value, but their days are still summed: not to be counted twice.
    counts = SongCounts.objects.filter(song__in=songs)
    starts = counts.values_list("song", "starting_play_count", "song__pruned_plays__number")
    trends = []
    for song, plays, pruned in starts:
        days = appeal[song].items()
        scores = {
            name: sum(weight * decay.weight((today - day).days) for day, weight in days)
            for name, decay in DECAYS.items()
        }
        scores["overall"] += DECAYS["overall"].floor * (plays - (pruned or 0))
        trends.append(Trend(song_id=song, **scores))
    Trend.objects.bulk_create(trends, update_conflicts=True, unique_fields=["song"], update_fields=list(DECAYS))


def prune_summed_history() -> Iterator[int]:
    """Delete plays beyond the retention period, after a refresh has summed all of them. Yield how many, in batches."""
    refresh()
    yield from prune_history()
