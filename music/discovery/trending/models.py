from datetime import UTC, datetime

from django.db import models

from music.catalogue.models import Song


class DailyAppeal(models.Model):
    """The plays and likes of a song on one day (UTC), weighed into one number (refresh._sum_days)."""

    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="appeal")
    day = models.DateField()
    weight = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["song", "day"], name="one_appeal_per_song_and_day")]
        indexes = [models.Index(fields=["day", "song"], name="appeal_by_day")]

    def __str__(self) -> str:
        return f"{self.song} on {self.day}: {self.weight:.1f}"


class Trend(models.Model):
    """A song's score in each time range, computed from its daily sums, so that a list is read from one index."""

    song = models.OneToOneField(Song, on_delete=models.CASCADE, primary_key=True, related_name="trend")
    overall = models.FloatField(default=0)
    month = models.FloatField(default=0)
    week = models.FloatField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["overall", "song"], name="trend_overall"),
            models.Index(fields=["month", "song"], name="trend_of_month", condition=models.Q(month__gt=0)),
            models.Index(fields=["week", "song"], name="trend_of_week", condition=models.Q(week__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.song}: {self.overall:.1f}"


class TrendRefresh(models.Model):
    """The single row that says up to where events have been summed. Its lock lets one process refresh at a time."""

    at = models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC))
    last_play = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"refreshed {self.at}"
