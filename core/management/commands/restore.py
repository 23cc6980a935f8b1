import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.backup import BackupError, restore


class Command(BaseCommand):
    help = "Restore a backup into an empty database and into storage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            files = sum(1 for _ in tqdm(restore(folder), "Restoring", unit="file", file=sys.stderr))
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{folder}: the database and {files} files restored")
