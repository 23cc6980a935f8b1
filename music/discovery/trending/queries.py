from enum import StrEnum

from django.db.models import QuerySet

from music.catalogue.models import Song


class TimeRange(StrEnum):
    ALL = "all"
    WEEK = "week"
    MONTH = "month"


def trending(songs: QuerySet[Song], time_range: str = TimeRange.ALL) -> QuerySet[Song]:
    """Order the songs by their score, best first. A week or month only has songs played or liked within it."""
    if time_range == TimeRange.ALL:
        # Every score is at least 0, but without a condition on it SQLite does not use the index on the score.
        return songs.filter(trend__overall__gte=0).order_by("-trend__overall", "-trend__song")
    return songs.filter(**{f"trend__{time_range}__gt": 0}).order_by(f"-trend__{time_range}", "-trend__song")
