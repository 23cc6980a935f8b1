"""A catalogue from a CSV file, in bulk, repeatable without doubles."""

import csv
import gzip
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.crypto import get_random_string

from music.catalogue.models import Album, ArtistCounts, Genre, Song, SongCounts
from music.catalogue.publishing import Recording, stored_audio
from music.catalogue.signals import songs_added
from users.folding import fold_case
from users.models import Role, User, UserProfile
from users.registration import username_base

COLUMNS = ("title", "artist", "album", "genre", "release_date", "duration", "explicit", "play_count", "audio")
CHUNK = 1000
DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
TRUTH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
LARGEST_COUNT = 2**63 - 1
LARGEST_DURATION = LARGEST_FIELD = 2**31 - 1


class UnreadableCatalogue(Exception):
    """The file as a whole can't be imported."""


class BadRow(Exception):
    """One row can't be imported; the message says why."""


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
    """Every row of the file, in order; None for a bad one, which the report then names by its line."""
    try:
        with _opened(path) as text:
            yield from _rows_of(text, path.parent, report)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UnreadableCatalogue(f"{path}: {error}") from error


def import_rows(rows: Iterable[Row | None], report: Report) -> Iterator[int]:
    """Imports in chunks, each in a transaction, and yields how many rows each chunk had."""
    rows = iter(rows)
    people, usernames = _imported_artists(), set(User.objects.values_list("username_key", flat=True))
    while chunk := list(islice(rows, CHUNK)):
        _import_chunk([row for row in chunk if row], people, usernames, report)
        yield len(chunk)


def check_audio(rows: Iterable[Row | None], report: Report) -> None:
    for row in rows:
        if row and row.audio and (recording := _recording(row.line, row.audio, report)):
            recording.file.close()


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as start:
        is_packed = start.read(2) == b"\x1f\x8b"
    # Bytes that are no UTF-8 spoil their row and not the file: they are kept as surrogates, which _text refuses.
    open_text: Callable[..., IO[str]] = gzip.open if is_packed else open
    return open_text(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows_of(text: IO[str], folder: Path, report: Report) -> Iterator[Row | None]:
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(text)
    header = [name.strip() for name in next(reader, [])]
    if missing := [name for name in COLUMNS if name not in header]:
        raise UnreadableCatalogue(f"The first line names no column {', '.join(missing)}.")
    line = reader.line_num + 1
    for values in reader:
        # A quoted field may hold line breaks: a row is named by the line on which it starts.
        start, line = line, reader.line_num + 1
        if not values:
            continue
        try:
            if len(values) != len(header):
                raise BadRow(f"{len(values)} fields where the first line has {len(header)}.")
            yield _row(start, dict(zip(header, values, strict=True)), folder)
        except BadRow as why:
            report.refuse(start, why)
            yield None


def _row(line: int, cells: dict[str, str], folder: Path) -> Row:
    title, artist = _text(cells, "title", required=True), _text(cells, "artist", required=True)
    album = _text(cells, "album")
    source_id = _text(cells, "source_id")
    audio = cells["audio"].strip()
    return Row(
        line=line,
        title=title,
        artist=artist,
        album=album,
        genre=_text(cells, "genre"),
        release_date=_date(cells["release_date"].strip()),
        duration=_number(cells, "duration", LARGEST_DURATION),
        explicit=_truth(cells["explicit"].strip().lower()),
        play_count=_number(cells, "play_count", LARGEST_COUNT),
        audio=_audio(folder / audio) if audio else None,
        source_key=_source_key(source_id, title, artist, album),
    )


def _text(cells: dict[str, str], name: str, *, required: bool = False) -> str:
    text = unicodedata.normalize("NFC", cells.get(name, "").strip())
    if required and not text:
        raise BadRow(f"{name} is empty.")
    if len(text) > 200:
        raise BadRow(f"{name} is longer than 200 characters.")
    if "\0" in text:
        raise BadRow(f"{name} holds a NUL character.")
    if re.search("[\ud800-\udfff]", text):
        raise BadRow(f"{name} is not UTF-8.")
    return text


def _number(cells: dict[str, str], name: str, largest: int) -> int:
    text = cells[name].strip() or "0"
    if not re.fullmatch(r"\d{1,19}(\.\d{1,9})?", text, re.ASCII) or (number := round(Decimal(text))) > largest:
        raise BadRow(f"{name} is {text[:40]!r}: give a number from 0 on.")
    return number


def _truth(text: str) -> bool:
    if text not in TRUTH:
        raise BadRow(f"explicit is {text[:40]!r}: give true or false.")
    return TRUTH[text]


def _date(text: str) -> date | None:
    """A year is its 1 January, a month its first day."""
    if not text:
        return None
    match = DATE.fullmatch(text)
    try:
        return date(*(int(part or 1) for part in match.groups())) if match else _no_date(text)
    except ValueError:
        return _no_date(text)


def _no_date(text: str) -> date:
    raise BadRow(f"release_date is {text[:40]!r}: give yyyy, yyyy-mm or yyyy-mm-dd.")


def _audio(path: Path) -> Path:
    try:
        is_file = path.is_file()
    except OSError:  # a name longer than any file's
        is_file = False
    if not is_file:
        raise BadRow(f"audio: there is no file {str(path)!r}.")
    return path


def _source_key(source_id: str, title: str, artist: str, album: str) -> str:
    key = f"id:{source_id}" if source_id else "song:" + _digest(title, artist, album)
    return key if len(key) <= 200 else f"id:{_digest(source_id)}"


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()


def _imported_artists() -> dict[str, User]:
    """Only accounts that an import made are used again: they have no e-mail address."""
    return {user.name: user for user in User.objects.filter(email=None, role=Role.ARTIST)}


def _import_chunk(rows: list[Row], people: dict[str, User], usernames: set[str], report: Report) -> None:
    known = set(Song.objects.filter(source_key__in=[r.source_key for r in rows]).values_list("source_key", flat=True))
    new: dict[str, Row] = {}
    for row in rows:
        if row.source_key in known or row.source_key in new:
            report.known += 1
        else:
            new[row.source_key] = row
    with_audio = [(row, row.audio) for row in new.values() if row.audio]
    _import_bulk([row for row in new.values() if not row.audio], people, usernames)
    report.added += len(new) - len(with_audio)
    for row, audio in with_audio:
        _import_with_audio(row, audio, people, usernames, report)


def _import_with_audio(row: Row, audio: Path, people: dict[str, User], usernames: set[str], report: Report) -> None:
    recording = _recording(row.line, audio, report)
    if recording is None:
        return
    song = Song()
    with recording.file, stored_audio(song, recording):
        _import_bulk([row], people, usernames, audio=song)
    report.added += 1


def _recording(line: int, audio: Path, report: Report) -> Recording | None:
    try:
        return Recording.inspected(File(audio.open("rb"), name=audio.name))
    except (ValidationError, OSError) as error:
        report.refuse(line, " ".join(error.messages) if isinstance(error, ValidationError) else error)
        return None


def _import_bulk(rows: list[Row], people: dict[str, User], usernames: set[str], *, audio: Song | None = None) -> None:
    with transaction.atomic():
        _add_artists({row.artist for row in rows} - people.keys(), people, usernames)
        genres = _genres({fold_case(row.genre): row.genre for row in rows if row.genre})
        albums = _albums(rows, people)
        songs = [
            Song(
                title=row.title,
                artist=people[row.artist],
                album=albums.get((people[row.artist].pk, fold_case(row.album))),
                genre=genres.get(fold_case(row.genre)),
                duration=audio.duration if audio else row.duration,
                release_date=row.release_date,
                explicit=row.explicit,
                source_key=row.source_key,
                **_audio_columns(audio),
            )
            for row in rows
        ]
        Song.objects.bulk_create(songs)
        SongCounts.objects.bulk_create(
            SongCounts(song=song, play_count=row.play_count, starting_play_count=row.play_count)
            for song, row in zip(songs, rows, strict=True)
        )
        songs_added.send(Song, songs=songs)


def _audio_columns(audio: Song | None) -> dict:
    names = ("audio_file", "audio_format", "audio_bytes", "bitrate")
    return {name: getattr(audio, name) for name in names} if audio else {}


def _add_artists(names: set[str], people: dict[str, User], usernames: set[str]) -> None:
    new = [
        User(email=None, username=_free(username_base(name), usernames), name=name, role=Role.ARTIST)
        for name in sorted(names)
    ]
    for user in new:
        user.password = make_password(None)  # nobody can log in until the account is handed over
    User.objects.bulk_create(new)
    UserProfile.objects.bulk_create(UserProfile(user=user) for user in new)
    ArtistCounts.objects.bulk_create(ArtistCounts(artist=user) for user in new)
    people.update((user.name, user) for user in new)


def _free(base: str, taken: set[str]) -> str:
    username = base
    while username in taken:
        username = f"{base}.{get_random_string(6).lower()}"
    taken.add(username)
    return username


def _genres(titles: dict[str, str]) -> dict[str, Genre]:
    found = {genre.title_key: genre for genre in Genre.objects.filter(title_key__in=titles)}
    missing = [Genre(title=title) for key, title in titles.items() if key not in found]
    return found | {genre.title_key: genre for genre in Genre.objects.bulk_create(missing)}


def _albums(rows: list[Row], people: dict[str, User]) -> dict[tuple, Album]:
    artists = {people[row.artist].pk for row in rows if row.album}
    found = {(album.artist_id, fold_case(album.title)): album for album in Album.objects.filter(artist__in=artists)}
    new = {}
    for row in rows:
        key = (people[row.artist].pk, fold_case(row.album))
        if row.album and key not in found and key not in new:
            new[key] = Album(title=row.album, artist_id=key[0], release_date=row.release_date)
    Album.objects.bulk_create(new.values())
    return found | new
