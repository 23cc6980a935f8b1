from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class MusicConfig(AppConfig):
    name = "music"

    def ready(self) -> None:
        from music.catalogue.artists import start_counting
        from music.catalogue.signals import songs_added
        from music.discovery.trending.refreshing import start_trends
        from music.library.closing import take_likes_and_follows_back
        from music.listening.closing import take_plays_back
        from music.models import Album, Song
        from users.models import User
        from users.signals import account_closing
        from users.stored_files import discard_files_of

        for model in (Album, Song):
            post_delete.connect(discard_files_of, sender=model)
        post_save.connect(start_counting, sender=User)
        songs_added.connect(start_trends)
        account_closing.connect(take_plays_back)
        account_closing.connect(take_likes_and_follows_back)
