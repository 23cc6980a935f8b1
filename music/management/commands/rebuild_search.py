from typing import Any

from django.core.management.base import BaseCommand

from music.discovery.search.indexer import rebuild
from music.models import SearchEntry


class Command(BaseCommand):
    help = "Make the search index anew. It follows every change by itself: this is for rows that came past Django."

    def handle(self, *args: Any, **options: Any) -> None:
        rebuild()
        self.stdout.write(f"{SearchEntry.objects.count()} entries")
