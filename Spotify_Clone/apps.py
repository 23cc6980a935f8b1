from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"

    def ready(self) -> None:
        from Spotify_Clone import checks  # noqa: F401  (registers them)


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
