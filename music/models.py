"""The index of the app's models, where Django looks for them."""

from music.catalogue.models import Album, Genre, Song, SongCounts
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike

__all__ = [
    "Album",
    "ArtistFollow",
    "FavoriteAlbum",
    "FavoriteSong",
    "Genre",
    "Song",
    "SongCounts",
    "SongLike",
]
