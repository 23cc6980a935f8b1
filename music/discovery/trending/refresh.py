"""Daily sums from events, and from these the scores that the shelf is ordered by."""

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

STALE_AFTER = timedelta(seconds=30)
# Nobody has to wait for a refresh but who comes first after a pause: a minute behind is what is promised.
TOO_STALE_AFTER = timedelta(seconds=50)
# What is put off until after an answer may be lost: with the server, or where the client has the answer already.
TRY_AGAIN_AFTER = timedelta(seconds=5)
# Events are committed in another order than they are numbered and timed; so far back we look again.
OVERLAP_IN_TIME = timedelta(minutes=2)
OVERLAP_IN_PLAYS = 2000
LIKE_WEIGHT = 2.0
CHUNK = 2000
# After so many days every range is within a hundredth of where it stays.
FADING_DAYS = 100


@dataclass(frozen=True)
class Range:
    """How many days weigh in, how fast they fade, and what always remains of a day.

    weight(age in days) = remains + (1 - remains) * 2 ** (-age / half_life), exponential decay as in Cormode et al.,
    "Forward Decay: A Practical Time Decay Model for Streaming Systems" (2009), with a floor.
    """

    days: int | None
    half_life: float
    remains: float = 0.0

    def weight(self, age: int) -> float:
        if self.days is not None and age >= self.days:
            return 0.0
        return self.remains + (1 - self.remains) * 2 ** (-age / self.half_life)


# An imported play is of unknown age: in `overall` it weighs what remains of the oldest.
RANGES = {
    "overall": Range(days=None, half_life=14, remains=0.1),
    "month": Range(days=30, half_life=7),
    "week": Range(days=7, half_life=2),
}


def refresh_if_stale(*, afterwards: Callable[[Callable[[], None]], object]) -> None:
    """Brings the scores up to now, unless that was done a moment ago or somebody is just doing it; where they will do
    for this once, `afterwards` is told to do it when the answer has gone.
    """
    if not cache.add("trends_are_looked_after", True, TRY_AGAIN_AFTER.total_seconds()):
        return
    if cache.get("trends_will_do"):
        afterwards(_refresh_in_turn)
    else:
        _refresh_in_turn()


def _refresh_in_turn() -> None:
    now = timezone.now()
    TrendRefresh.objects.get_or_create(pk=1)
    with transaction.atomic():
        last = TrendRefresh.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if last is None:  # somebody is just doing it
            return
        is_fresh = now - STALE_AFTER < last.at <= now
        if not is_fresh:
            TrendRefresh.objects.filter(pk=1).update(at=now, last_play=_refresh(last, now))
    age = now - last.at if is_fresh else timedelta()
    cache.set("trends_are_looked_after", True, (STALE_AFTER - age).total_seconds())
    cache.set("trends_will_do", True, (TOO_STALE_AFTER - age).total_seconds())


def refresh() -> None:
    """Brings the scores up to now, after whoever is just doing it."""
    now = timezone.now()
    TrendRefresh.objects.get_or_create(pk=1)
    with transaction.atomic():
        last = TrendRefresh.objects.select_for_update().get(pk=1)
        TrendRefresh.objects.filter(pk=1).update(at=now, last_play=_refresh(last, now))


def start_trends(songs: list[Song], **kwargs: object) -> None:
    """Receiver for songs_added: every song has a score from its first moment."""
    starts = SongCounts.objects.filter(song__in=songs).values_list("song", "starting_play_count")
    Trend.objects.bulk_create(Trend(song_id=song, overall=RANGES["overall"].remains * plays) for song, plays in starts)


def _refresh(last: TrendRefresh, now: datetime) -> int:
    """Sums and scores what has changed; answers the number of the last play that was seen."""
    plays = Play.objects.filter(pk__gt=last.last_play - OVERLAP_IN_PLAYS)
    likes = SongLike.objects.filter(created_at__gte=last.at - OVERLAP_IN_TIME)
    seen = plays.aggregate(last=Max("pk"), first_time=Min("at"))
    first_like = likes.aggregate(time=Min("created_at"))["time"]
    first_time = min((at for at in (seen["first_time"], first_like) if at), default=now)
    songs = {*plays.values_list("song", flat=True).distinct(), *likes.values_list("song", flat=True).distinct()}
    if last.at.date() != now.date():  # yesterday is a day older now, and so is every day before
        fading = DailyAppeal.objects.filter(day__gt=now.date() - timedelta(days=FADING_DAYS))
        songs |= set(fading.values_list("song", flat=True))
    # Of days whose plays may be pruned the sums stay as they are, once there are any. The hour is for a midnight
    # in between.
    begins = history_begins(now + timedelta(hours=1)) if last.last_play else None
    first_day = max(first_time, begins or first_time).date()
    ordered = sorted(songs)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        _sum_days(chunk, first_day)
        _score(chunk, now.date())
    return max(seen["last"] or 0, last.last_play)


def _sum_days(songs: list[UUID], first_day: date) -> None:
    """Each listener counts once a day; a hundred plays by one add half a listener; a like counts twice."""
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
    # Those that were pruned weigh in by their days still.
    counts = SongCounts.objects.filter(song__in=songs)
    starts = counts.values_list("song", "starting_play_count", "song__pruned_plays__number")
    trends = []
    for song, plays, pruned in starts:
        trend = Trend(song_id=song, **{name: _decayed(appeal[song], name, today) for name in RANGES})
        trend.overall += RANGES["overall"].remains * (plays - (pruned or 0))
        trends.append(trend)
    Trend.objects.bulk_create(trends, update_conflicts=True, unique_fields=["song"], update_fields=list(RANGES))


def _decayed(days: dict[date, float], name: str, today: date) -> float:
    return sum(weight * RANGES[name].weight((today - day).days) for day, weight in days.items())


def prune_summed_history() -> Iterator[int]:
    """Delete plays that are too old, once each of them is in the sums by day."""
    refresh()
    yield from prune_history()
