"""Import of a catalogue file, in bulk. Importing the same file again adds nothing twice."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.crypto import get_random_string

from core.folding import fold_case
from music.catalogue.catalogue_file import Report, Row
from music.catalogue.models import Album, ArtistCounts, Genre, Song, SongCounts
from music.catalogue.publication import Recording, stored_audio
from music.catalogue.signals import songs_added
from users.models import Role, User, UserProfile
from users.registration import username_base

CHUNK = 1000


def import_rows(rows: Iterable[Row | None], report: Report) -> Iterator[int]:
    """Import rows in chunks of CHUNK, and yield the number of rows of each chunk.

    Rows without audio are added in one transaction a chunk, rows with audio in one each.
    """
    rows = iter(rows)
    artists = ImportedArtists()
    while chunk := list(islice(rows, CHUNK)):
        _import_chunk([row for row in chunk if row], artists, report)
        yield len(chunk)


def check_audio(rows: Iterable[Row | None], report: Report) -> None:
    """Add the rows whose audio file can't be used to the report, importing nothing."""
    for row in rows:
        if row and row.audio and (recording := _inspect(row.line, row.audio, report)):
            recording.file.close()


class ImportedArtists:
    """Accounts of artists that imports have created, by name.

    They have no e-mail address until an artist claims the account. A claimed account is not used any more, and the
    artists' own accounts never are: a name alone does not prove that it is the same artist.
    """

    def __init__(self) -> None:
        self.by_name = {user.name: user for user in User.objects.filter(email=None, role=Role.ARTIST)}
        self.usernames = set(User.objects.values_list("username_key", flat=True))

    def __getitem__(self, name: str) -> User:
        return self.by_name[name]

    def add_missing(self, names: set[str]) -> None:
        """Create accounts for the names that have none yet."""
        new = [self._new_account(name) for name in sorted(names - self.by_name.keys())]
        User.objects.bulk_create(new)
        UserProfile.objects.bulk_create(UserProfile(user=user) for user in new)
        ArtistCounts.objects.bulk_create(ArtistCounts(artist=user) for user in new)
        self.by_name.update((user.name, user) for user in new)

    def _new_account(self, name: str) -> User:
        # An unusable password: no log-in is possible until an artist claims the account.
        return User(
            email=None, username=self._free_username(name), name=name, role=Role.ARTIST, password=make_password(None)
        )

    def _free_username(self, name: str) -> str:
        username = base = username_base(name)
        while username in self.usernames:
            username = f"{base}.{get_random_string(6).lower()}"
        self.usernames.add(username)
        return username


def _import_chunk(rows: list[Row], artists: ImportedArtists, report: Report) -> None:
    known = set(Song.objects.filter(source_key__in=[r.source_key for r in rows]).values_list("source_key", flat=True))
    new: dict[str, Row] = {}
    for row in rows:
        if row.source_key in known or row.source_key in new:
            report.known += 1
        else:
            new[row.source_key] = row
    with_audio = [(row, row.audio) for row in new.values() if row.audio]
    _import_bulk([row for row in new.values() if not row.audio], artists)
    report.added += len(new) - len(with_audio)
    for row, audio in with_audio:
        _import_with_audio(row, audio, artists, report)


def _import_with_audio(row: Row, audio: Path, artists: ImportedArtists, report: Report) -> None:
    recording = _inspect(row.line, audio, report)
    if recording is None:
        return
    song = Song()
    with recording.file, stored_audio(song, recording):
        _import_bulk([row], artists, audio=song)
    report.added += 1


def _inspect(line: int, audio: Path, report: Report) -> Recording | None:
    """Return the recording in an audio file, or None after adding the reason to the report."""
    try:
        return Recording.inspected(File(audio.open("rb"), name=audio.name))
    except (ValidationError, OSError) as error:
        report.refuse(line, " ".join(error.messages) if isinstance(error, ValidationError) else error)
        return None


def _import_bulk(rows: list[Row], artists: ImportedArtists, *, audio: Song | None = None) -> None:
    """Add songs in one transaction. `audio` is an unsaved song with the audio fields of a single row."""
    names = ("audio_file", "audio_format", "audio_bytes", "bitrate")
    audio_fields = {name: getattr(audio, name) for name in names} if audio else {}
    with transaction.atomic():
        artists.add_missing({row.artist for row in rows})
        genres = _ensure_genres({fold_case(row.genre): row.genre for row in rows if row.genre})
        albums = _ensure_albums(rows, artists)
        songs = [
            Song(
                title=row.title,
                artist=artists[row.artist],
                album=albums.get((artists[row.artist].pk, fold_case(row.album))),
                genre=genres.get(fold_case(row.genre)),
                duration=audio.duration if audio else row.duration,
                release_date=row.release_date,
                explicit=row.explicit,
                source_key=row.source_key,
                **audio_fields,
            )
            for row in rows
        ]
        Song.objects.bulk_create(songs)
        SongCounts.objects.bulk_create(
            SongCounts(song=song, play_count=row.play_count, starting_play_count=row.play_count)
            for song, row in zip(songs, rows, strict=True)
        )
        songs_added.send(Song, songs=songs)


def _ensure_genres(titles: dict[str, str]) -> dict[str, Genre]:
    """Return genres by folded title, creating those that are missing. `titles` are by folded title too."""
    found = {genre.title_key: genre for genre in Genre.objects.filter(title_key__in=titles)}
    missing = [Genre(title=title) for key, title in titles.items() if key not in found]
    return found | {genre.title_key: genre for genre in Genre.objects.bulk_create(missing)}


def _ensure_albums(rows: list[Row], artists: ImportedArtists) -> dict[tuple, Album]:
    """Return albums by (artist id, folded title), creating those that are missing."""
    own = Album.objects.filter(artist__in={artists[row.artist].pk for row in rows if row.album})
    found = {(album.artist_id, fold_case(album.title)): album for album in own}
    new = {}
    for row in rows:
        key = (artists[row.artist].pk, fold_case(row.album))
        if row.album and key not in found and key not in new:
            new[key] = Album(title=row.album, artist_id=key[0], release_date=row.release_date)
    Album.objects.bulk_create(new.values())
    return found | new
