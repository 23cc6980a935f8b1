from typing import Any

from django.core.management.base import BaseCommand

from music.discovery.neighbours.builder import build_song_neighbours


class Command(BaseCommand):
    help = "Learn from plays, likes and favourites which songs go together. The worker does the same each hour."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{build_song_neighbours()} neighbours")
