"""Addresses that carry their own permission, because an <audio> element sends no header."""

from typing import NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from rest_framework.request import Request

from music.catalogue.models import Song
from users.models import AudioQuality, User

SALT = "music.stream"


class Permit(NamedTuple):
    """For whom an address was signed, and at which quality; None: as the listener prefers."""

    listener: User
    quality: AudioQuality | None


def stream_url(song: Song, request: Request) -> str | None:
    """Where the song's audio plays as it is: a plain address for a public song, a signed one for one's own."""
    if not song.audio_file:
        return None
    return plain_url(song, request) if song.is_public else signed_url(song, request)


def plain_url(song: Song, request: Request) -> str:
    return request.build_absolute_uri(reverse("song-stream", args=[song.pk]))


def signed_url(song: Song, request: Request, quality: AudioQuality | None = None) -> str:
    listener = cast(User, request.user)  # nobody else is shown what needs a signature
    return f"{plain_url(song, request)}?signature={sign(song, listener=listener, quality=quality)}"


def sign(song: Song, *, listener: User, quality: AudioQuality | None = None) -> str:
    return signing.dumps([song.pk.hex, listener.pk.hex, quality], salt=SALT)


def permit_of(signature: str, song_id: UUID) -> Permit | None:
    """What the address allows; None if it is for another song, tampered with, or too old."""
    try:
        song, signed_for, quality = signing.loads(signature, salt=SALT, max_age=settings.STREAM_URL_LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    listener = User.objects.filter(pk=signed_for, is_active=True).first() if song == song_id.hex else None
    return Permit(listener, AudioQuality(quality) if quality else None) if listener else None
