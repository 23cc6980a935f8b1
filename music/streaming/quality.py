"""Choice of the file that a listener hears: the original or a rendition, by quality."""

from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models.fields.files import FieldFile

from core.db.compiled import CompiledQuery, UserParam
from music.catalogue.audio import CONTENT_TYPES
from music.catalogue.models import Song
from payments.plans import Entitlements, entitlements_of
from users.models import AudioQuality, User, UserProfile

KBPS = {AudioQuality.LOW: 96, AudioQuality.MEDIUM: 160, AudioQuality.HIGH: 320}
# The measured bitrate is a little higher than the encoder's: the headers of frames are included, and the silence that
# encoders add, which players cut off, is not part of the length.
TOLERANCE = 1.03

PREFERENCES = CompiledQuery(UserProfile.objects.values_list("audio_quality", named=True))


class Playable(NamedTuple):
    file: FieldFile
    format: str

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]


def is_within(bitrate: int, quality: AudioQuality) -> bool:
    return bitrate <= KBPS[quality] * TOLERANCE


def granted_quality(
    listener: User | AnonymousUser, requested: str | None = None, *, allowed: Entitlements | None = None
) -> AudioQuality:
    """Return the requested quality, or else the listener's preference, limited by `allowed` (by default their plan)."""
    best = (allowed or entitlements_of(listener)).audio_quality
    wanted = requested or _preference(listener) or best
    return min(AudioQuality(wanted), best, key=KBPS.__getitem__)


def file_for(song: Song, listener: User | AnonymousUser, requested: str | None = None) -> Playable:
    """Return the file that the listener hears: see `granted_quality` and `file_within`."""
    if is_within(song.bitrate, AudioQuality.LOW):
        # Every plan allows the original, so the queries for plan and preference are saved.
        return original_of(song)
    return file_within(song, granted_quality(listener, requested))


def file_within(song: Song, quality: AudioQuality) -> Playable:
    """Return the original if its bitrate is within the quality, else the best rendition that is.

    While there are no renditions, the original is played whatever its bitrate.
    """
    if is_within(song.bitrate, quality):
        return original_of(song)
    allowed = [rendition for rendition in song.renditions.all() if is_within(rendition.bitrate, quality)]
    best = max(allowed, key=lambda rendition: rendition.bitrate, default=None)
    return Playable(best.file, best.format) if best else original_of(song)


def original_of(song: Song) -> Playable:
    return Playable(song.audio_file, song.audio_format)


def _preference(listener: User | AnonymousUser) -> str | None:
    if not listener.is_authenticated:
        return None
    profile = PREFERENCES.first("one", lambda profiles: profiles.filter(user=UserParam().pk), {"user": listener.pk})
    return profile and profile.audio_quality
