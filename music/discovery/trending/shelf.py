from enum import StrEnum

from django.db.models import F, QuerySet

from music.catalogue.models import Song


class TimeRange(StrEnum):
    ALL = "all"
    WEEK = "week"
    MONTH = "month"


def trending(songs: QuerySet[Song], time_range: str = TimeRange.ALL) -> QuerySet[Song]:
    """The songs, best first; for a week or a month only those that anybody played or liked in it."""
    if time_range == TimeRange.ALL:
        return songs.order_by(F("trend__overall").desc(), F("trend__song").desc())
    return songs.filter(**{f"trend__{time_range}__gt": 0}).order_by(f"-trend__{time_range}", "-trend__song")
