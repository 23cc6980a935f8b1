"""Likes, favorites and follows. Each action can be repeated without effect; counters change only when a row does."""

from django.core.exceptions import ValidationError
from django.db.models import F

from music.catalogue.locks import lock_for_action
from music.catalogue.models import Album, ArtistCounts, Song, SongCounts
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from users.models import User

# In each function the counter is updated last: its row is shared by every listener of the song (every follower of the
# artist), and it stays locked until the transaction commits.


def like(song: Song, *, listener: User) -> None:
    with lock_for_action(listener, song):
        _, is_new = SongLike.objects.get_or_create(listener=listener, song=song)
        if is_new:
            SongCounts.objects.filter(song=song).update(like_count=F("like_count") + 1)


def unlike(song: Song, *, listener: User) -> None:
    with lock_for_action(listener, song):
        deleted, _ = SongLike.objects.filter(listener=listener, song=song).delete()
        if deleted:
            SongCounts.objects.filter(song=song).update(like_count=F("like_count") - 1)


def add_favorite(work: Song | Album, *, listener: User) -> bool:
    """Add the song or album to the listener's favorites. Return False if it was one already."""
    with lock_for_action(listener, work):
        if isinstance(work, Song):
            return FavoriteSong.objects.get_or_create(listener=listener, song=work)[1]
        return FavoriteAlbum.objects.get_or_create(listener=listener, album=work)[1]


def remove_favorite(work: Song | Album, *, listener: User) -> None:
    # No lock: there is no counter of favorites, so a single DELETE is all there is to it.
    work.favorites.filter(listener=listener).delete()


def follow(artist: User, *, follower: User) -> bool:
    """Follow the artist. Return False if the follower did so already.

    Raise ValidationError (`self_follow`) if artist and follower are the same account.
    """
    if artist == follower:
        raise ValidationError("You can't follow yourself.", "self_follow")
    with lock_for_action(follower, artist):
        _, is_new = ArtistFollow.objects.get_or_create(follower=follower, artist=artist)
        if is_new:
            ArtistCounts.objects.filter(artist=artist).update(follower_count=F("follower_count") + 1)
    return is_new


def unfollow(artist: User, *, follower: User) -> None:
    with lock_for_action(follower, artist):
        deleted, _ = ArtistFollow.objects.filter(follower=follower, artist=artist).delete()
        if deleted:
            ArtistCounts.objects.filter(artist=artist).update(follower_count=F("follower_count") - 1)
