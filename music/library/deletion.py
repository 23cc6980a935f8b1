"""Removal of a closing account's likes and follows."""

from django.db.models import F

from music.catalogue.locks import lock_for_deletion
from music.catalogue.models import ArtistCounts, SongCounts
from music.library.models import ArtistFollow, SongLike
from users.models import User


def delete_likes_and_follows(user: User, **kwargs: object) -> None:
    """Delete the account's likes and follows, and subtract them from the counters (receiver of account_closing)."""
    lock_for_deletion(user)
    likes, follows = SongLike.objects.filter(listener=user), ArtistFollow.objects.filter(follower=user)
    # The counters first: they are found through the rows that are deleted below.
    SongCounts.objects.filter(song__in=likes.values("song")).update(like_count=F("like_count") - 1)
    ArtistCounts.objects.filter(artist__in=follows.values("artist")).update(follower_count=F("follower_count") - 1)
    likes.delete()
    follows.delete()
