"""Imports the models of each subject: Django looks for an app's models in this module."""

from music.advertising.models import Ad, AdPlayCounter, GivenAd
from music.catalogue.models import Album, ArtistCounts, Genre, Song, SongCounts
from music.discovery.neighbours.models import Neighbour
from music.discovery.search.models import SearchEntry, SearchWord
from music.discovery.trending.models import DailyAppeal, Trend, TrendRefresh
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from music.playback.models import Play, PrunedPlays, RecentlyPlayed, Skip
from music.streaming.models import AudioAnalysis, Rendition

__all__ = [
    "Ad",
    "AdPlayCounter",
    "Album",
    "ArtistCounts",
    "ArtistFollow",
    "AudioAnalysis",
    "DailyAppeal",
    "FavoriteAlbum",
    "FavoriteSong",
    "Genre",
    "GivenAd",
    "Neighbour",
    "Play",
    "PrunedPlays",
    "RecentlyPlayed",
    "Rendition",
    "SearchEntry",
    "SearchWord",
    "Skip",
    "Song",
    "SongCounts",
    "SongLike",
    "Trend",
    "TrendRefresh",
]
