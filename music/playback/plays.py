from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from music.catalogue.locks import lock_for_action
from music.catalogue.models import Song, SongCounts
from music.playback.models import Play, RecentlyPlayed
from users.models import User

PAUSE_BETWEEN_COUNTED_PLAYS = timedelta(seconds=30)


def record_play(song: Song, *, listener: User) -> bool:
    """Put the song first in the listener's recently played, and count the play unless it is a quick repeat.

    Answers whether it counted.
    """
    now = timezone.now()
    with lock_for_action(listener, song):
        counted = _take_turn(song, listener, now)
        if counted:
            Play.objects.create(listener=listener, song=song, at=now)
            # Last, because everybody who plays this song waits for this row until we commit.
            SongCounts.objects.filter(song=song).update(play_count=F("play_count") + 1)
    return counted


def _take_turn(song: Song, listener: User, now: datetime) -> bool:
    """Whether this play counts, decided by one row that only this listener and song share."""
    row = RecentlyPlayed.objects.filter(listener=listener, song=song)
    long_ago = row.filter(last_counted_at__lte=now - PAUSE_BETWEEN_COUNTED_PLAYS)
    if long_ago.update(last_played_at=now, last_counted_at=now, updated_at=now):
        return True
    if row.update(last_played_at=now, updated_at=now):
        return False
    RecentlyPlayed.objects.create(listener=listener, song=song, last_played_at=now, last_counted_at=now)
    return True


def forget_history(listener: User) -> None:
    """Empties recently played. Counts stay, and a repeat right after does not count either."""
    rows = RecentlyPlayed.objects.filter(listener=listener)
    with lock_for_action(listener):
        rows.filter(last_counted_at__lte=timezone.now() - PAUSE_BETWEEN_COUNTED_PLAYS).delete()
        rows.update(last_played_at=None)


def recently_played_by(listener: User, songs: QuerySet[Song]) -> QuerySet[Song]:
    """Those of the songs that the listener has played, with `played_at`."""
    played = songs.filter(recently_played__listener=listener, recently_played__last_played_at__isnull=False)
    return played.annotate(played_at=F("recently_played__last_played_at"))
