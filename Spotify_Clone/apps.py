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
        # Databases, backups and uploads are private: no other account on this machine may read new files.
        os.umask(PRIVATE_UMASK)
        prepare_metrics_folder()
        from core.api.parsers import replace_multipart_parser
        from core.http.anonymous_cache import clear_cached_answers
        from core.observability import metrics, tasks
        from music.models import Album, Genre, Play, Song

        for model in (Song, Album, Genre, get_user_model()):
            post_save.connect(clear_cached_answers, sender=model)
            post_delete.connect(clear_cached_answers, sender=model)
        replace_multipart_parser()
        metrics.connect_counters(plays=Play, uploads=Song)
        tasks.connect_log()
        if settings.SENTRY_DSN:  # imported only if needed: it slows down every start
            from core.observability.sentry import start_sentry

            start_sentry(settings.SENTRY_DSN)


def prepare_metrics_folder() -> None:
    """Create the folder of PROMETHEUS_MULTIPROC_DIR, or unset the variable if it is empty.

    prometheus-client needs the folder when it is imported, and takes an empty name for the current folder.
    """
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)


class MusicAdminConfig(AdminConfig):
    default_site = "Spotify_Clone.admin_site.MusicAdminSite"
