from django.db.models import Count, F, OuterRef, Subquery

from music.catalogue.locks import lock_for_deletion
from music.catalogue.models import SongCounts
from music.playback.models import Play, RecentlyPlayed
from users.models import User


def delete_plays(user: User, **kwargs: object) -> None:
    """Receiver for account_closing: the counters lose the listener's share together with the rows."""
    lock_for_deletion(user)
    own = Play.objects.filter(listener=user, song=OuterRef("song")).order_by().values("song")
    share = Subquery(own.annotate(n=Count("pk")).values("n"))
    played = SongCounts.objects.filter(song__in=Play.objects.filter(listener=user).values("song"))
    played.update(play_count=F("play_count") - share)
    Play.objects.filter(listener=user).delete()
    RecentlyPlayed.objects.filter(listener=user).delete()
