from django.db.models import F

from music.catalogue.locks import lock_for_deletion
from music.catalogue.models import ArtistCounts, SongCounts
from music.library.models import ArtistFollow, SongLike
from users.models import User


def delete_likes_and_follows(user: User, **kwargs: object) -> None:
    """Receiver for account_closing: the counters lose the person's share together with the rows."""
    lock_for_deletion(user)
    likes, follows = SongLike.objects.filter(listener=user), ArtistFollow.objects.filter(follower=user)
    SongCounts.objects.filter(song__in=likes.values("song")).update(like_count=F("like_count") - 1)
    ArtistCounts.objects.filter(artist__in=follows.values("artist")).update(follower_count=F("follower_count") - 1)
    likes.delete()
    follows.delete()
