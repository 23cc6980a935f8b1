import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from music.streaming.models import AudioAnalysis, Status
from music.streaming.renditions import missing_renditions, render_song


class Command(BaseCommand):
    help = "Make renditions, loudness and waveform of every song that has none yet or whose rendering failed."

    def handle(self, *args: Any, **options: Any) -> None:
        songs = list(missing_renditions().order_by("created_at").values_list("pk", "audio_file"))
        failed = 0
        for song, source in tqdm(songs, "Rendering", unit="song", file=sys.stderr):
            try:
                render_song(song, source)
            except OSError as error:  # the storage has no such file, or does not answer
                tqdm.write(f"{song}: {error}", file=sys.stderr)
            failed += AudioAnalysis.objects.filter(song=song, source=source).exclude(status=Status.READY).exists()
        self.stdout.write(f"{len(songs) - failed} songs rendered, {failed} failed." if songs else "Nothing is missing.")
        if failed:
            sys.exit(1)
