"""Addresses that carry their own permission, because an <audio> element sends no header."""

from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core import signing

from core.db.compiled import CompiledQuery, UserParam
from users.models import AudioQuality, User

SALT = "music.stream"
ACTIVE = CompiledQuery(User.objects.filter(is_active=True))


class StreamGrant(NamedTuple):
    """For whom an address was signed, and at which quality; None: as the listener prefers."""

    listener: User
    quality: AudioQuality | None


def stream_path(song_id: UUID | str) -> str:
    return f"/api/songs/{song_id}/stream"


def signed_path(song_id: UUID, *, listener: User, quality: AudioQuality | None = None) -> str:
    signature = signing.dumps([song_id.hex, listener.pk.hex, quality, listener.sign_out_mark], salt=SALT)
    return f"{stream_path(song_id)}?signature={signature}"


def grant_from(signature: str, song_id: UUID) -> StreamGrant | None:
    """Return what the address allows; None if it is for another song, tampered with, too old, or signed out."""
    try:
        song, signed_for, quality, *mark = signing.loads(signature, salt=SALT, max_age=settings.STREAM_URL_LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    if song != song_id.hex:
        return None
    listener = ACTIVE.first("one", lambda users: users.filter(pk=UserParam().pk), {"user": UUID(signed_for)})
    if listener is None or "".join(mark) != listener.sign_out_mark:
        return None
    return StreamGrant(listener, AudioQuality(quality) if quality else None)
