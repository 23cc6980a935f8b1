"""What the caller has to do with each row of a list, told by the same query that reads the rows."""

from django.db.models import BooleanField, Exists, Model, OuterRef, QuerySet, Value

from music.catalogue.artists import visible_artists, with_counts_for
from music.catalogue.models import Album, Listener, Song, SongQuerySet
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike


def _has(model: type[Model], listener: Listener, **of_row: OuterRef) -> Exists | Value:
    if not listener.is_authenticated:
        return Value(False, BooleanField())
    owner = "follower" if model is ArtistFollow else "listener"
    return Exists(model._default_manager.filter(**{owner: listener.pk}, **of_row))


def with_caller_state(listener: Listener, songs: SongQuerySet) -> QuerySet:
    row = OuterRef("pk")
    return songs.with_counts().annotate(
        is_liked=_has(SongLike, listener, song=row), is_favorite=_has(FavoriteSong, listener, song=row)
    )


def song_list(listener: Listener) -> QuerySet:
    return with_caller_state(listener, Song.objects.visible_to(listener))


def album_list(listener: Listener) -> QuerySet:
    albums = Album.objects.visible_to(listener).with_credits().with_counts_for(listener)
    return albums.annotate(is_favorite=_has(FavoriteAlbum, listener, album=OuterRef("pk")))


def artist_list(listener: Listener) -> QuerySet:
    artists = with_counts_for(listener, visible_artists())
    return artists.annotate(is_following=_has(ArtistFollow, listener, artist=OuterRef("pk")))
