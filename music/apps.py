from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete, pre_migrate


class MusicConfig(AppConfig):
    name = "music"

    def ready(self) -> None:
        """Connect signals to receivers here, so that a subject need not import those that react to it."""
        from core.jobs.retention import register
        from core.storage.signals import unnamed_files_found
        from core.storage.stored_files import discard_files_of
        from music.catalogue import triggers
        from music.catalogue.artists import ensure_artist_counts
        from music.catalogue.signals import audio_replaced, songs_added
        from music.discovery.neighbours.builder import schedule_hourly_build
        from music.discovery.search import indexer
        from music.discovery.trending.refresh import prune_summed_history, start_trends
        from music.library.deletion import delete_likes_and_follows
        from music.models import Ad, Album, Genre, Rendition, Song
        from music.playback.deletion import delete_plays
        from music.streaming import renditions
        from users.models import User
        from users.signals import account_closing

        # Files of deleted rows
        for with_files in (Ad, Album, Rendition, Song):
            post_delete.connect(discard_files_of, sender=with_files)

        post_save.connect(ensure_artist_counts, sender=User)

        # The search index
        for source in indexer.SOURCES:
            post_save.connect(indexer.reindex_saved_row, sender=source)
            post_delete.connect(indexer.unindex_deleted_row, sender=source)
        for model in (Album, Genre):
            # Their songs stay, and are indexed again without them. After the deletion nothing says which they were.
            pre_delete.connect(indexer.remember_songs_to_reindex, sender=model)

        # New songs and new recordings. Receivers run in the order in which they are connected.
        songs_added.connect(start_trends)
        songs_added.connect(indexer.index_added_songs)
        songs_added.connect(renditions.enqueue_renditions)
        audio_replaced.connect(renditions.render_replaced_audio)
        unnamed_files_found.connect(renditions.expected_renditions)

        # Closed accounts
        account_closing.connect(delete_plays)
        account_closing.connect(delete_likes_and_follows)

        # Triggers and the search index of a database that has just been migrated
        pre_migrate.connect(triggers.before_migrate, sender=self)
        post_migrate.connect(triggers.after_migrate, sender=self)
        post_migrate.connect(indexer.rebuild_outdated_index, sender=self)
        if not settings.TESTING:
            # Queues the hourly build of neighbours, for which tests have no worker.
            post_migrate.connect(schedule_hourly_build, sender=self)

        register("listening history", prune_summed_history)
        register("search words", indexer.prune_words)
