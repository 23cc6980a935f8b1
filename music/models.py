"""The index of the app's models, where Django looks for them."""

from music.catalogue.models import Album, ArtistCounts, Genre, Song, SongCounts
from music.discovery.trending.models import DailyAppeal, Trend, TrendRefresh
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from music.listening.models import Play, RecentlyPlayed

__all__ = [
    "Album",
    "ArtistCounts",
    "ArtistFollow",
    "DailyAppeal",
    "FavoriteAlbum",
    "FavoriteSong",
    "Genre",
    "Play",
    "RecentlyPlayed",
    "Song",
    "SongCounts",
    "SongLike",
    "Trend",
    "TrendRefresh",
]
