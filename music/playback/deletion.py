"""Removal of a closing account's listening history."""

from django.db.models import Count, F, OuterRef, Subquery

from music.catalogue.locks import lock_for_deletion
from music.catalogue.models import SongCounts
from music.playback.models import Play, RecentlyPlayed
from users.models import User


def delete_plays(user: User, **kwargs: object) -> None:
    """Delete the account's plays, and subtract them from the counters (receiver of account_closing)."""
    lock_for_deletion(user)
    plays = Play.objects.filter(listener=user)
    plays_of_song = plays.filter(song=OuterRef("song")).order_by().values("song").annotate(n=Count("pk")).values("n")
    # The counters first: the number of plays of each song is counted from the rows that are deleted below.
    SongCounts.objects.filter(song__in=plays.values("song")).update(
        play_count=F("play_count") - Subquery(plays_of_song)
    )
    plays.delete()
    RecentlyPlayed.objects.filter(listener=user).delete()
