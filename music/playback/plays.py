"""Counted plays and the history of recently played songs."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from music.advertising.models import Ad
from music.advertising.play_counter import draw_ad_for_play
from music.catalogue.locks import lock_for_action
from music.catalogue.models import Song, SongCounts
from music.playback.models import Play, RecentlyPlayed
from music.streaming.quality import granted_quality
from music.streaming.signed_urls import signed_path
from payments.plans import entitlements_of
from users.models import AudioQuality, User

# A repeat within this time of the last counted play of the same song by the same listener does not count.
PAUSE_BETWEEN_COUNTED_PLAYS = timedelta(seconds=30)


class Playback(NamedTuple):
    """Everything a player needs to play a song. A song without audio has neither `stream_path` nor `expires_at`."""

    play_count: int
    stream_path: str | None
    quality: AudioQuality
    expires_at: datetime | None
    ad: Ad | None


def start_playback(song: Song, *, listener: User) -> Playback:
    """Record the play, grant the stream, and draw the ad that is due, as the listener's plan says.

    Raise Http404 if the song was deleted since it was looked up.
    """
    counted = record_play(song, listener=listener)
    entitlements = entitlements_of(listener)
    quality = granted_quality(listener, allowed=entitlements)
    has_audio = bool(song.audio_file)
    return Playback(
        # Read again: other listeners have played the song since it was looked up.
        play_count=get_object_or_404(SongCounts, song=song).play_count,
        stream_path=signed_path(song.pk, listener=listener, quality=quality) if has_audio else None,
        quality=quality,
        expires_at=timezone.now() + settings.STREAM_URL_LIFETIME if has_audio else None,
        # Last, and in a transaction of its own: an ad is not drawn for a play that failed.
        ad=draw_ad_for_play(listener) if counted and not entitlements.ad_free else None,
    )


def record_play(song: Song, *, listener: User) -> bool:
    """Put the song first in the listener's recently played, and count the play unless it is a quick repeat.

    Return whether it counted.
    """
    now = timezone.now()
    with lock_for_action(listener, song):
        counted = touch_recently_played(song, listener, now)
        if counted:
            Play.objects.create(listener=listener, song=song, at=now)
            # Last: this row is shared by all listeners of the song and stays locked until the transaction commits.
            SongCounts.objects.filter(song=song).update(play_count=F("play_count") + 1)
    return counted


def touch_recently_played(song: Song, listener: User, now: datetime) -> bool:
    """Set the time of the listener's last play of the song. Return whether the play counts."""
    row = RecentlyPlayed.objects.filter(listener=listener, song=song)
    # The condition is part of the UPDATE, so that of two requests in the same moment only one finds it true.
    countable = row.filter(last_counted_at__lte=now - PAUSE_BETWEEN_COUNTED_PLAYS)
    if countable.update(last_played_at=now, last_counted_at=now, updated_at=now):
        return True
    if row.update(last_played_at=now, updated_at=now):
        return False
    RecentlyPlayed.objects.create(listener=listener, song=song, last_played_at=now, last_counted_at=now)
    return True


def clear_recently_played(listener: User) -> None:
    """Empty the listener's recently played. Play counts stay."""
    rows = RecentlyPlayed.objects.filter(listener=listener)
    with lock_for_action(listener):
        rows.filter(last_counted_at__lte=timezone.now() - PAUSE_BETWEEN_COUNTED_PLAYS).delete()
        # Newer rows only become invisible: without them a repeat right after clearing would count.
        rows.update(last_played_at=None)


def recently_played_by(listener: User, songs: QuerySet[Song]) -> QuerySet[Song]:
    """Narrow songs to those in the listener's recently played, with `played_at`."""
    played = songs.filter(recently_played__listener=listener, recently_played__last_played_at__isnull=False)
    return played.annotate(played_at=F("recently_played__last_played_at"))
