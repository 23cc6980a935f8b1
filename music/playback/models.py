from django.db import models
from django.utils import timezone

from core.db.base_model import UUIDModel
from music.catalogue.models import Song
from users.models import User


class Play(models.Model):
    """A counted play. Trends, recommendations and a song's `play_count` are computed from these rows."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="plays")
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="plays")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="plays_by_time"),
            models.Index(fields=["song", "at"], name="plays_of_song"),
        ]

    def __str__(self) -> str:
        return f"{self.listener} played {self.song}"


class PrunedPlays(models.Model):
    """Number of a song's plays that retention has deleted; `SongCounts.starting_play_count` includes them."""

    song = models.OneToOneField(Song, on_delete=models.CASCADE, primary_key=True, related_name="pruned_plays")
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "pruned plays"

    def __str__(self) -> str:
        return f"{self.number} plays"


class RecentlyPlayed(UUIDModel):
    """Last play of a song by a listener: one row for the pair, which also decides whether the next play counts."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recently_played")
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="recently_played")
    # Null after the listener has cleared the history. The row itself stays until a repeat would count anyway.
    last_played_at = models.DateTimeField(null=True)
    last_counted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "recently played"
        constraints = [
            models.UniqueConstraint(fields=["listener", "song"], name="one_recent_play_per_listener_and_song"),
        ]
        indexes = [models.Index(fields=["listener", "last_played_at"], name="recent_plays_of_listener")]

    def __str__(self) -> str:
        return f"{self.listener} played {self.song}"


class Skip(models.Model):
    """A song left before its end. The listener's plan limits how many there may be in an hour."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="skips")
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="skips")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["listener", "at"], name="skips_of_listener")]

    def __str__(self) -> str:
        return f"{self.listener} skipped {self.song}"
