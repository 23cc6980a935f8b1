"""Publication of songs: upload a recording, change a published song, replace its audio."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from core.folding import fold_case
from core.images.reencoder import reencode_image
from core.storage.stored_files import delete_on_failure, discard, make_key
from core.text import clean_text
from music.catalogue.audio import CONTENT_TYPES, AudioFacts, inspect_audio
from music.catalogue.models import Album, Genre, Song, SongCounts
from music.catalogue.signals import audio_replaced, songs_added
from music.catalogue.upload_limits import count_upload
from payments.plans import is_child
from users.models import User

# File name extensions that a title made from the file name leaves out.
KNOWN_EXTENSION = re.compile(
    r"(?<=.)\.(?:mp[1234]|mpe?ga|m4[abprv]|wave?|bwf|rf64|w64|flac?|og[gax]|opus|spx|aac|adts?|alac|aif[fc]?|wma|webm|mka)\s*$",
    re.IGNORECASE,
)
AUDIO_FIELDS = ("audio_file", "audio_format", "audio_bytes", "bitrate", "duration")


@dataclass(frozen=True)
class Recording:
    """An audio file that was checked, with its measurements, tags and cover. Made by `Recording.inspected`."""

    file: File
    facts: AudioFacts
    cover: ContentFile | None = field(default=None)

    @classmethod
    def inspected(cls, file: File) -> "Recording":
        """Inspect a file. Raise ValidationError if it is not audio in a supported format (see `inspect_audio`)."""
        facts = inspect_audio(file)
        # Storages that store a content type (S3) take it from this attribute, which the client has set until here.
        file.content_type = CONTENT_TYPES[facts.format]  # type: ignore[attr-defined]
        return cls(file, facts, _first_readable(facts.tags.covers))

    @property
    def title(self) -> str:
        return self.facts.tags.title or _title_from(self.file.name or "") or "Untitled"


def _title_from(file_name: str) -> str:
    """Return the name of a file without folders and without a known extension, at most 200 characters."""
    name = file_name.replace("\\", "/").rpartition("/")[2].encode(errors="ignore").decode()
    return clean_text(clean_text(KNOWN_EXTENSION.sub("", name) or name)[:200])


def publish_song(*, artist: User, recording: Recording, **given: Any) -> Song:
    """Create a song from an uploaded recording.

    `given` holds any of title, album (Album), album_title, genre (its title), release_date, track_number, disc_number,
    explicit, visibility, licensing_info. Missing and empty values are taken from the file's tags where there are such
    tags. The cover in the tags becomes the album's cover if the album has none.

    Raise User.DoesNotExist if the artist's account was deleted meanwhile, UploadLimitReached, or ValidationError if a
    child would publish an explicit song.
    """
    tags = recording.facts.tags
    given = {name: value for name, value in given.items() if value not in (None, "")}
    album_title = given.pop("album_title", None) or tags.album
    genre_title = given.pop("genre", None) or tags.genre
    given.setdefault("title", recording.title)
    given.setdefault("track_number", tags.track_number)
    given.setdefault("disc_number", tags.disc_number)
    given.setdefault("explicit", bool(tags.explicit))
    given.setdefault("release_date", tags.release_date or today())
    song = Song(artist=artist, **given)
    with stored_audio(song, recording), _stored_cover(recording) as cover, transaction.atomic():
        # Wait for a concurrent deletion of the account, which would otherwise not see this song and its file.
        User.objects.select_for_update().get(pk=artist.pk)
        if song.album is None and album_title:
            song.album = ensure_album(artist, album_title, release_date=song.release_date)
        song.genre = ensure_genre(genre_title, maker=artist) if genre_title else None
        _check_explicit(song)
        song.save()
        SongCounts.objects.create(song=song)
        count_upload(artist)
        songs_added.send(Song, songs=[song])
        _set_first_cover(song.album, cover)
    return song


def update_song(song: Song, *, recording: Recording | None = None, **changes: Any) -> Song:
    """Change fields of a song (see `publish_song`) and return it; a new recording replaces the old one.

    The old audio file is deleted after commit. Raise Song.DoesNotExist if the song was deleted meanwhile,
    UploadLimitReached, or ValidationError if a child would publish an explicit song.
    """
    if recording is None:
        return _change(song, **changes)
    with stored_audio(song, recording):
        return _change(song, **changes, **{name: getattr(song, name) for name in AUDIO_FIELDS})


@transaction.atomic
def _change(song: Song, **changes: Any) -> Song:
    if "genre" in changes:
        title = changes["genre"]
        changes["genre"] = ensure_genre(title, maker=song.artist) if title else None
    if album_title := changes.pop("album_title", None):
        changes["album"] = ensure_album(song.artist, album_title, release_date=song.release_date)
    # Read the row again under a lock: save() writes every column, so of two concurrent changes the second would undo
    # the first, and could bring back the name of an audio file that is deleted.
    song = Song.objects.select_for_update().get(pk=song.pk)
    if "audio_file" in changes:
        count_upload(song.artist)
        discard(song.audio_file.name)
    for name, value in changes.items():
        setattr(song, name, value)
    _check_explicit(song)
    song.save()
    if "audio_file" in changes:
        audio_replaced.send(Song, song=song)
    return song


def _check_explicit(song: Song) -> None:
    """Raise ValidationError if the song is explicit and its artist is a child, who could not see it afterwards."""
    if song.explicit and is_child(song.artist):
        reason = ValidationError("A child on a Family plan can't publish explicit songs.", "child_account")
        raise ValidationError({"explicit": reason})


def today() -> date:
    return timezone.now().date()


def ensure_genre(title: str, *, maker: User | None) -> Genre:
    """Return the genre with this title, ignoring case, creating it if needed."""
    genre, _ = Genre.objects.get_or_create(
        title_key=fold_case(title), defaults={"title": title.strip(), "maker": maker}
    )
    return genre


def ensure_album(artist: User, title: str, *, release_date: date | None) -> Album:
    """Return the artist's oldest album with this title, ignoring case, creating it if needed."""
    with transaction.atomic():
        # Titles of albums are not unique in the database: without this lock two concurrent uploads of songs on a new
        # album would create the album twice.
        User.objects.select_for_update().get(pk=artist.pk)
        for album in Album.objects.filter(artist=artist).order_by("created_at"):
            if fold_case(album.title) == fold_case(title):
                return album
        return Album.objects.create(artist=artist, title=title.strip(), release_date=release_date)


@contextmanager
def stored_audio(song: Song, recording: Recording) -> Iterator[None]:
    """Store the audio under a new key and set the song's audio fields; delete the file if the block fails."""
    facts = recording.facts
    song.audio_format, song.bitrate, song.audio_bytes = facts.format, facts.bitrate, recording.file.size
    song.duration = round(facts.seconds)
    key = make_key("audio", f"audio.{facts.format}")
    with delete_on_failure(key):
        # Inside the block, since a full disk leaves the first part of a file behind.
        default_storage.save(key, recording.file)
        song.audio_file = key
        yield


@contextmanager
def _stored_cover(recording: Recording) -> Iterator[str | None]:
    """Store the recording's cover, if any, and yield its key; delete the file if the block fails."""
    if recording.cover is None:
        yield None
        return
    key = make_key("covers", str(recording.cover.name))
    with delete_on_failure(key):
        default_storage.save(key, recording.cover)
        yield key


def _set_first_cover(album: Album | None, cover: str | None) -> None:
    """Make a stored cover that of the album, or delete it if the album has a cover or there is no album."""
    # A conditional UPDATE decides between concurrent uploads to the same album.
    used = album and cover and Album.objects.filter(pk=album.pk, cover_image="").update(cover_image=cover)
    if not used:
        discard(cover)


def _first_readable(pictures: Iterable[bytes]) -> ContentFile | None:
    """Return the first picture that can be read, re-encoded; a broken cover must not make the upload fail."""
    for picture in pictures:
        with suppress(ValidationError):
            return reencode_image(ContentFile(picture))
    return None
