import os
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save

PRIVATE_UMASK = 0o077


class SpotifyCloneConfig(AppConfig):
    name = "Spotify_Clone"

    def ready(self) -> None:
        # Databases, backups and uploads hold what is nobody else's business on this machine.
        os.umask(PRIVATE_UMASK)
        make_folder_for_metrics()
        from core.api.parsers import read_unreadable_file_names
        from core.http.anonymous_cache import forget
        from core.observability import metrics, tasks
        from music.models import Album, Genre, Play, Song

        for model in (Song, Album, Genre, get_user_model()):
            post_save.connect(forget, sender=model)
            post_delete.connect(forget, sender=model)
        read_unreadable_file_names()
        metrics.listen(plays=Play, uploads=Song)
        tasks.listen()
        if settings.SENTRY_DSN:  # imported only then: it takes its time
            from core.observability.sentry import start_sentry

            start_sentry(settings.SENTRY_DSN)


def make_folder_for_metrics() -> None:
    """prometheus-client looks for it when it is imported, and takes an empty name for the current folder."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
