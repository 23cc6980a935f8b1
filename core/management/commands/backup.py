import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.backup import BackupError, back_up


class Command(BaseCommand):
    help = "Copy database and files into a folder while the service runs. A second run copies only new files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            sizes = [file.size for file in tqdm(back_up(folder), "Backing up", unit="file", file=sys.stderr)]
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{folder}: the database and {len(sizes)} files, {sum(sizes):,} bytes")
