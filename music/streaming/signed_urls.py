"""Signed URLs for streaming. An <audio> element sends no Authorization header, so the URL itself grants access."""

from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core import signing

from core.db.compiled import CompiledQuery, UserParam
from users.models import AudioQuality, User

SALT = "music.stream"  # changing it would invalidate all URLs that were given out
ACTIVE_USERS = CompiledQuery(User.objects.filter(is_active=True))


class StreamGrant(NamedTuple):
    """Access that a signed URL gives."""

    listener: User
    quality: AudioQuality | None  # None: as the listener prefers


def stream_path(song_id: UUID | str) -> str:
    return f"/api/songs/{song_id}/stream"


def signed_path(song_id: UUID, *, listener: User, quality: AudioQuality | None = None) -> str:
    """Return a path that streams the song on behalf of the listener, for settings.STREAM_URL_LIFETIME.

    It includes the listener's sign-out mark, which changes when all devices are logged out, and so ends the URL.
    """
    signature = signing.dumps([song_id.hex, listener.pk.hex, quality, listener.sign_out_mark], salt=SALT)
    return f"{stream_path(song_id)}?signature={signature}"


def read_grant(signature: str, song_id: UUID) -> StreamGrant | None:
    """Verify a signature. Return None if it is forged, expired, for another song, or the listener has logged out."""
    try:
        song, signed_for, quality, *mark = signing.loads(signature, salt=SALT, max_age=settings.STREAM_URL_LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    if song != song_id.hex:
        return None
    listener = ACTIVE_USERS.first("one", lambda users: users.filter(pk=UserParam().pk), {"user": UUID(signed_for)})
    if listener is None or "".join(mark) != listener.sign_out_mark:
        return None
    return StreamGrant(listener, AudioQuality(quality) if quality else None)
