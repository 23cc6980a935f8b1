from django.db import models

from core.db.base_model import UUIDModel
from music.catalogue.models import Song
from users.models import AudioQuality

TARGET_LUFS = -14
HIGHEST_PEAK = -1


class Status(models.TextChoices):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class AudioAnalysis(models.Model):
    """Loudness and waveform of a song and the state of its renditions, in a row that lists of songs do not read."""

    song = models.OneToOneField(Song, on_delete=models.CASCADE, primary_key=True, related_name="analysis")
    # Key of the file that was analysed, since the song's audio may be replaced while the worker analyses it.
    source = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=Status, default=Status.PROCESSING)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed, for the song's owner.")
    # Integrated loudness (LUFS) and true peak (dBTP) as defined by EBU R 128; null for silence.
    lufs = models.FloatField(null=True)
    peak = models.FloatField(null=True)
    # One byte for each point; 255 is full scale.
    waveform = models.BinaryField(default=b"")

    class Meta:
        db_table = "music_sound"
        verbose_name_plural = "audio analyses"
        constraints = [models.CheckConstraint(condition=models.Q(status__in=Status.values), name="status_is_known")]

    def __str__(self) -> str:
        return f"{self.song}: {self.status}"


def gain(lufs: float, peak: float) -> float:
    """Return the gain in dB that brings a recording to -14 LUFS, limited so that its peak stays below -1 dBTP.

    This is the loudness normalisation that Spotify documents.
    """
    return round(min(TARGET_LUFS - lufs, HIGHEST_PEAK - peak), 1)


class Rendition(UUIDModel):
    """An encoding of a song's original at one quality."""

    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="renditions")
    quality = models.CharField(max_length=10, choices=AudioQuality)
    file = models.FileField()
    format = models.CharField(max_length=10)
    bitrate = models.PositiveIntegerField(help_text="kbps")
    bytes = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["song", "quality"], name="one_rendition_per_song_and_quality")]

    def __str__(self) -> str:
        return f"{self.song} at {self.bitrate} kbps"
