from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
