from django.apps import AppConfig
from django.db.models.signals import post_delete


class MusicConfig(AppConfig):
    name = "music"

    def ready(self) -> None:
        from music.models import Album, Song
        from users.stored_files import discard_files_of

        for model in (Album, Song):
            post_delete.connect(discard_files_of, sender=model)
