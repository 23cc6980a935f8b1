from typing import Any

from django.core.management.base import BaseCommand

from music.discovery.search.indexer import rebuild
from music.models import SearchEntry


class Command(BaseCommand):
    help = "Rebuild the search index. Needed only after writes past Django: others update the index by themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        rebuild()
        self.stdout.write(f"{SearchEntry.objects.count()} entries")
