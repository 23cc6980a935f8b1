from typing import Any

from django.core.management.base import BaseCommand

from music.discovery.search.indexer import rebuild
from music.models import SearchEntry


class Command(BaseCommand):
    help = "Rebuild the search index. It is needed only for rows that were written without Django: any other change updates the index by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        rebuild()
        self.stdout.write(f"{SearchEntry.objects.count()} entries")
