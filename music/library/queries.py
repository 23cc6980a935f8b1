"""Songs, albums and artists with the caller's relation to each (liked, favorite, followed), read in the same query."""

from django.db.models import BooleanField, Exists, F, Model, OuterRef, QuerySet, Value

from music.catalogue.artists import visible_artists, with_counts_for
from music.catalogue.models import Album, Listener, Song, SongQuerySet
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from users.models import User


def exists_for(listener: Listener, model: type[Model], **row: OuterRef) -> Exists | Value:
    """Return an annotation: whether the listener has a row of the model about the outer row."""
    if not listener.is_authenticated:
        return Value(False, BooleanField())
    caller = "follower" if model is ArtistFollow else "listener"
    return Exists(model._default_manager.filter(**{caller: listener.pk}, **row))


def with_caller_state(listener: Listener, songs: SongQuerySet) -> QuerySet:
    """Annotate songs with their counts, `is_liked` and `is_favorite`."""
    song = OuterRef("pk")
    return songs.with_counts().annotate(
        is_liked=exists_for(listener, SongLike, song=song), is_favorite=exists_for(listener, FavoriteSong, song=song)
    )


def song_list(listener: Listener) -> QuerySet:
    return with_caller_state(listener, Song.objects.visible_to(listener))


def album_list(listener: Listener) -> QuerySet:
    albums = Album.objects.visible_to(listener).with_credits().with_counts_for(listener)
    return albums.annotate(is_favorite=exists_for(listener, FavoriteAlbum, album=OuterRef("pk")))


def artist_list(listener: Listener) -> QuerySet:
    artists = with_counts_for(listener, visible_artists())
    return artists.annotate(is_following=exists_for(listener, ArtistFollow, artist=OuterRef("pk")))


def likes_of(listener: User, songs: QuerySet[Song]) -> QuerySet[Song]:
    """Narrow songs to those the listener likes, with `added_at`."""
    return songs.filter(likes__listener=listener).annotate(added_at=F("likes__created_at"))


def favorites_of(listener: User, works: QuerySet) -> QuerySet:
    """Narrow songs or albums to the listener's favorites, with `added_at`."""
    return works.filter(favorites__listener=listener).annotate(added_at=F("favorites__created_at"))


def artists_followed_by(follower: User, artists: QuerySet[User]) -> QuerySet[User]:
    """Narrow artists to those the follower follows, with `followed_at`."""
    return artists.filter(followers__follower=follower).annotate(followed_at=F("followers__created_at"))


def followers_of(artist: User) -> QuerySet[User]:
    """Return the active accounts that follow the artist, with `followed_at`."""
    followers = User.objects.filter(is_active=True, follows__artist=artist)
    return followers.annotate(followed_at=F("follows__created_at"))
