import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from music.catalogue.catalogue_file import Report, UnreadableCatalogue, read_rows
from music.catalogue.importer import check_audio, import_rows

SHOWN_PROBLEMS = 100


class Command(BaseCommand):
    help = (
        "Import songs from a CSV file (.gz too) with the columns title, artist, album, genre, release_date, duration, "
        "explicit, play_count, audio and optionally source_id. Importing the same file again adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--strict", action="store_true", help="import nothing if any row is bad")

    def handle(self, *args: Any, file: Path, strict: bool, **options: Any) -> None:
        try:
            rows = self.count_rows(file, strict=strict)
            report = Report()
            with tqdm(total=rows, unit="song", desc="Importing", file=sys.stderr) as progress:
                for done in import_rows(read_rows(file, report), report):
                    progress.update(done)
        except UnreadableCatalogue as error:
            raise CommandError(f"Nothing was imported. {error}") from error
        self.show_problems(report)
        self.stdout.write(
            f"{report.added} songs imported, {report.known} were there already, {len(report.bad)} rows skipped."
        )

    def count_rows(self, file: Path, *, strict: bool) -> int:
        """Read the whole file and return its number of rows. Raise CommandError if `strict` and any row is bad."""
        report = Report()
        rows = 0
        for row in tqdm(read_rows(file, report), unit="row", desc="Reading", file=sys.stderr):
            rows += 1
            if strict:
                check_audio([row], report)
        if strict and report.bad:
            self.show_problems(report)
            raise CommandError(f"Nothing was imported: {len(report.bad)} of {rows} rows are bad.")
        return rows

    def show_problems(self, report: Report) -> None:
        for problem in report.bad[:SHOWN_PROBLEMS]:
            self.stderr.write(problem)
        if (more := len(report.bad) - SHOWN_PROBLEMS) > 0:
            self.stderr.write(f"… and {more} more")
