"""What the caller has to do with each row of a list, told by the same query that reads the rows."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Exists, Model, OuterRef, QuerySet, Value

from music.catalogue.models import AlbumQuerySet, SongQuerySet
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from users.models import User
from users.statements import SomeUser

Listener = User | AnonymousUser | SomeUser


def _has(model: type[Model], listener: Listener, **of_row: OuterRef) -> Exists | Value:
    if not listener.is_authenticated:
        return Value(False, BooleanField())
    owner = "follower" if model is ArtistFollow else "listener"
    return Exists(model._default_manager.filter(**{owner: listener.pk}, **of_row))


def songs_as_seen_by(listener: Listener, songs: SongQuerySet) -> QuerySet:
    row = OuterRef("pk")
    return songs.with_counts().annotate(
        is_liked=_has(SongLike, listener, song=row), is_favorite=_has(FavoriteSong, listener, song=row)
    )


def albums_as_seen_by(listener: Listener, albums: AlbumQuerySet) -> QuerySet:
    return albums.with_credits().annotate(is_favorite=_has(FavoriteAlbum, listener, album=OuterRef("pk")))


def artists_as_seen_by(listener: Listener, artists: QuerySet) -> QuerySet:
    return artists.annotate(is_following=_has(ArtistFollow, listener, artist=OuterRef("pk")))
