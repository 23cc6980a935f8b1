from django.apps import AppConfig


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"
