import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.jobs.leases import is_backup_running
from core.storage.inventory import StoredFile
from core.storage.sweep import Sweep


class Command(BaseCommand):
    help = "Delete stored files that no row names (a killed server leaves such), and report rows whose file is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="delete nothing; exit with 1 if there is something to delete"
        )
        parser.add_argument(
            "--older-than",
            type=float,
            default=60,
            metavar="MINUTES",
            help="ignore younger files, whose rows may not be written yet (60)",
        )

    def handle(self, *args: Any, check: bool, older_than: float, **options: Any) -> None:
        sweep = Sweep()
        unnamed = sweep.unnamed(older_than=timedelta(minutes=older_than))
        swept = list(self.report(unnamed) if check else self.delete(unnamed, sweep))
        missing = 0
        for line in sweep.missing():
            self.stdout.write(line)
            missing += 1
        if swept:
            self.stdout.write(f"{len(swept)} files {'are' if check else 'were'} named by no row: {sum(swept):,} bytes")
        elif not missing:
            self.stdout.write("nothing to sweep")
        if missing or (check and swept):
            sys.exit(1)

    def report(self, unnamed: Iterator[StoredFile]) -> Iterator[int]:
        for file in with_progress(unnamed):
            self.stdout.write(f"{describe(file)}: no row names it")
            yield file.size

    def delete(self, unnamed: Iterator[StoredFile], sweep: Sweep) -> Iterator[int]:
        if is_backup_running():
            raise CommandError("A backup is running, which may need files that no row names any more. Sweep later.")
        for file in with_progress(unnamed):
            if not sweep.named:
                raise CommandError("No row names any file, yet there are some. Is this the right database?")
            default_storage.delete(file.name)
            self.stdout.write(f"{describe(file)}: removed")
            yield file.size


def with_progress(files: Iterator[StoredFile]) -> Iterator[StoredFile]:
    return iter(tqdm(files, "Sweeping", unit="file", file=sys.stderr, disable=not sys.stderr.isatty()))


def describe(file: StoredFile) -> str:
    return f"{file.name} ({file.size:,} bytes, {file.modified:%Y-%m-%d %H:%M} UTC)"
