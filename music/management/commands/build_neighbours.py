from typing import Any

from django.core.management.base import BaseCommand

from music.discovery.neighbours.builder import build_song_neighbours


class Command(BaseCommand):
    help = "Compute from plays, likes and favorites which songs are neighbours. The worker does the same every hour."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{build_song_neighbours()} neighbours")
