"""Liking, keeping and following. Doing it again changes nothing; the counters move only when a row does."""

from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet

from music.catalogue.locks import lock_for_action
from music.catalogue.models import Album, ArtistCounts, Song, SongCounts
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from users.models import User


def like(song: Song, *, listener: User) -> None:
    with lock_for_action(listener, song):
        _, is_new = SongLike.objects.get_or_create(listener=listener, song=song)
        if is_new:
            SongCounts.objects.filter(song=song).update(like_count=F("like_count") + 1)


def unlike(song: Song, *, listener: User) -> None:
    with lock_for_action(listener, song):
        gone, _ = SongLike.objects.filter(listener=listener, song=song).delete()
        if gone:
            SongCounts.objects.filter(song=song).update(like_count=F("like_count") - 1)


def add_favorite(work: Song | Album, *, listener: User) -> bool:
    """Make it a favourite; answers whether it was none before."""
    with lock_for_action(listener, work):
        if isinstance(work, Song):
            return FavoriteSong.objects.get_or_create(listener=listener, song=work)[1]
        return FavoriteAlbum.objects.get_or_create(listener=listener, album=work)[1]


def remove_favorite(work: Song | Album, *, listener: User) -> None:
    work.favorites.filter(listener=listener).delete()


def follow(artist: User, *, follower: User) -> bool:
    """Answers whether the artist was not followed before."""
    if artist == follower:
        raise ValidationError("You can't follow yourself.", "self_follow")
    with lock_for_action(follower, artist):
        _, is_new = ArtistFollow.objects.get_or_create(follower=follower, artist=artist)
        if is_new:
            ArtistCounts.objects.filter(artist=artist).update(follower_count=F("follower_count") + 1)
    return is_new


def unfollow(artist: User, *, follower: User) -> None:
    with lock_for_action(follower, artist):
        gone, _ = ArtistFollow.objects.filter(follower=follower, artist=artist).delete()
        if gone:
            ArtistCounts.objects.filter(artist=artist).update(follower_count=F("follower_count") - 1)


def likes_of(listener: User, songs: QuerySet[Song]) -> QuerySet[Song]:
    """Those of the songs that the listener likes, with `added_at`."""
    return songs.filter(likes__listener=listener).annotate(added_at=F("likes__created_at"))


def favorites_of(listener: User, works: QuerySet) -> QuerySet:
    """Those of the songs or albums that are the listener's favourites, with `added_at`."""
    return works.filter(favorites__listener=listener).annotate(added_at=F("favorites__created_at"))


def artists_followed_by(follower: User, artists: QuerySet[User]) -> QuerySet[User]:
    return artists.filter(followers__follower=follower).annotate(followed_at=F("followers__created_at"))


def followers_of(artist: User) -> QuerySet[User]:
    followers = User.objects.filter(is_active=True, follows__artist=artist)
    return followers.annotate(followed_at=F("follows__created_at"))
