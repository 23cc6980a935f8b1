from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"

    def ready(self) -> None:
        from Spotify_Clone.pruning import database_was_migrated

        if not settings.TESTING:
            # The signal is sent for apps with models only.
            post_migrate.connect(database_was_migrated, sender=apps.get_app_config("users"))


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
