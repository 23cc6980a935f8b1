"""Reader of catalogue files: CSV, plain or gzipped. Each row is checked; bad rows are reported with line numbers."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import IO

from core.text import clean_text

COLUMNS = ("title", "artist", "album", "genre", "release_date", "duration", "explicit", "play_count", "audio")
DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
BOOLEANS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
LARGEST_COUNT = 2**63 - 1
LARGEST_DURATION = LARGEST_FIELD = 2**31 - 1


class UnreadableCatalogue(Exception):
    """The whole file can't be read, for the reason in the message."""


class BadRow(Exception):
    """A row can't be imported, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    title: str
    artist: str
    album: str
    genre: str
    release_date: date | None
    duration: int
    explicit: bool
    play_count: int
    audio: Path | None
    source_key: str


@dataclass
class Report:
    added: int = 0
    known: int = 0
    bad: list[str] = field(default_factory=list)

    def refuse(self, line: int, why: object) -> None:
        self.bad.append(f"line {line}: {why}")


def read_rows(path: Path, report: Report) -> Iterator[Row | None]:
    """Yield the rows of the file in order, and None for each bad row, which is added to the report.

    Raise UnreadableCatalogue if the file can't be opened, unpacked or parsed, or lacks a column.
    """
    try:
        with _open(path) as text:
            yield from _rows_of(text, path.parent, report)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UnreadableCatalogue(f"{path}: {error}") from error


def _open(path: Path) -> IO[str]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    # Bytes that are not UTF-8 become surrogates, which _text refuses: they spoil their row, not the whole file.
    open_text: Callable[..., IO[str]] = gzip.open if is_gzip else open
    return open_text(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows_of(text: IO[str], folder: Path, report: Report) -> Iterator[Row | None]:
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(text)
    header = [name.strip() for name in next(reader, [])]
    if missing := [name for name in COLUMNS if name not in header]:
        raise UnreadableCatalogue(f"The first line lacks these columns: {', '.join(missing)}.")
    line = reader.line_num + 1
    for values in reader:
        # A quoted field may contain line breaks. A row is reported by the line on which it starts.
        start, line = line, reader.line_num + 1
        if not values:
            continue
        try:
            if len(values) != len(header):
                raise BadRow(f"{len(values)} fields, but the first line has {len(header)}.")
            yield _row(start, dict(zip(header, values, strict=True)), folder)
        except BadRow as why:
            report.refuse(start, why)
            yield None


def _row(line: int, cells: dict[str, str], folder: Path) -> Row:
    title, artist = _text(cells, "title", required=True), _text(cells, "artist", required=True)
    album = _text(cells, "album")
    source_id = _text(cells, "source_id")
    audio = cells["audio"].strip()
    explicit = cells["explicit"].strip().lower()
    if explicit not in BOOLEANS:
        raise BadRow(f"explicit is {explicit[:40]!r}: give true or false.")
    return Row(
        line=line,
        title=title,
        artist=artist,
        album=album,
        genre=_text(cells, "genre"),
        release_date=_date(cells["release_date"].strip()),
        duration=_number(cells, "duration", LARGEST_DURATION),
        explicit=BOOLEANS[explicit],
        play_count=_number(cells, "play_count", LARGEST_COUNT),
        audio=_audio(folder / audio) if audio else None,
        source_key=_source_key(source_id, title, artist, album),
    )


def _text(cells: dict[str, str], name: str, *, required: bool = False) -> str:
    given = cells.get(name, "")
    if "\0" in given:
        raise BadRow(f"{name} contains a NUL character.")
    if re.search("[\ud800-\udfff]", given):
        raise BadRow(f"{name} is not UTF-8.")
    text = clean_text(given)
    if required and not text:
        raise BadRow(f"{name} is empty.")
    if len(text) > 200:
        raise BadRow(f"{name} is longer than 200 characters.")
    return text


def _number(cells: dict[str, str], name: str, largest: int) -> int:
    text = cells[name].strip() or "0"
    if not re.fullmatch(r"\d{1,19}(\.\d{1,9})?", text, re.ASCII) or (number := round(Decimal(text))) > largest:
        raise BadRow(f"{name} is {text[:40]!r}: give a number from 0 to {largest}.")
    return number


def _date(text: str) -> date | None:
    """Return the date; the first day of the year or month if the text has no more."""
    if not text:
        return None
    if match := DATE.fullmatch(text):
        with suppress(ValueError):
            return date(*(int(part or 1) for part in match.groups()))
    raise BadRow(f"release_date is {text[:40]!r}: give yyyy, yyyy-mm or yyyy-mm-dd.")


def _audio(path: Path) -> Path:
    try:
        is_file = path.is_file()
    except OSError:  # the name is longer than the file system allows
        is_file = False
    if not is_file:
        raise BadRow(f"audio: there is no file {str(path)!r}.")
    return path


def _source_key(source_id: str, title: str, artist: str, album: str) -> str:
    """Return `Song.source_key`: what identifies the row when the file is imported again, at most 200 characters."""
    key = f"id:{source_id}" if source_id else "song:" + _digest(title, artist, album)
    return key if len(key) <= 200 else f"id:{_digest(source_id)}"


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()
