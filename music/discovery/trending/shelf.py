from enum import StrEnum

from django.db.models import QuerySet

from music.catalogue.models import Song


class TimeRange(StrEnum):
    ALL = "all"
    WEEK = "week"
    MONTH = "month"


def trending(songs: QuerySet[Song], time_range: str = TimeRange.ALL) -> QuerySet[Song]:
    """The songs, best first; for a week or a month only those that anybody played or liked in it."""
    if time_range == TimeRange.ALL:
        # A range, though it holds every song: SQLite begins with the index on the score only where one is asked for.
        return songs.filter(trend__overall__gte=0).order_by("-trend__overall", "-trend__song")
    return songs.filter(**{f"trend__{time_range}__gt": 0}).order_by(f"-trend__{time_range}", "-trend__song")
