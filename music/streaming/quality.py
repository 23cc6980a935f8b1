"""Which of a song's files somebody hears."""

from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models.fields.files import FieldFile

from core.db.compiled import CompiledQuery, UserParam
from music.catalogue.audio import CONTENT_TYPES
from music.catalogue.models import Song
from payments.plans import Entitlements, entitlements_of
from users.models import AudioQuality, User, UserProfile

KBPS = {AudioQuality.LOW: 96, AudioQuality.MEDIUM: 160, AudioQuality.HIGH: 320}
# A file measures a little more than it was encoded with: its headers count, and silence that players cut off does not.
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
    listener: User | AnonymousUser, asked: str | None = None, *, allowed: Entitlements | None = None
) -> AudioQuality:
    """What was asked for, else what the listener prefers; never above what is allowed: the plan as it stands now."""
    best = (allowed or entitlements_of(listener)).audio_quality
    wanted = asked or _preference(listener) or best
    return min(AudioQuality(wanted), best, key=KBPS.__getitem__)


def file_for(song: Song, listener: User | AnonymousUser, asked: str | None = None) -> Playable:
    """What the listener hears: see granted_quality and file_within."""
    if is_within(song.bitrate, AudioQuality.LOW):  # there is nothing to choose, so no plan is asked for
        return upload_of(song)
    return file_within(song, granted_quality(listener, asked))


def file_within(song: Song, quality: AudioQuality) -> Playable:
    """The upload where its bitrate allows or nothing else is there, else the best rendition that is within."""
    if is_within(song.bitrate, quality):
        return upload_of(song)
    allowed = [rendition for rendition in song.renditions.all() if is_within(rendition.bitrate, quality)]
    best = max(allowed, key=lambda rendition: rendition.bitrate, default=None)
    return Playable(best.file, best.format) if best else upload_of(song)


def upload_of(song: Song) -> Playable:
    return Playable(song.audio_file, song.audio_format)


def _preference(listener: User | AnonymousUser) -> str | None:
    if not listener.is_authenticated:
        return None
    profile = PREFERENCES.first("one", lambda profiles: profiles.filter(user=UserParam().pk), {"user": listener.pk})
    return profile and profile.audio_quality
