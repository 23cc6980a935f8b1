from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"

    def ready(self) -> None:
        from Spotify_Clone.observing import metrics, tasks

        metrics.listen()
        tasks.listen()
        if settings.SENTRY_DSN:  # imported only then: it takes its time
            from Spotify_Clone.observing.sentry import start_sentry

            start_sentry(settings.SENTRY_DSN)


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
