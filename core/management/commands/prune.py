import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from core.jobs.retention import prune


class Command(BaseCommand):
    help = "Delete listening history (HISTORY_DAYS), logs (LOG_DAYS), and expired rows."

    def handle(self, *args: Any, **options: Any) -> None:
        for what, batches in prune():
            with tqdm(desc=what, unit="row", file=sys.stderr, leave=False, delay=1) as progress:
                for number in batches:
                    progress.update(number)
            self.stdout.write(f"{what}: {progress.n} removed")
