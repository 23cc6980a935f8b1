"""Bringing an artist's recording into the catalogue, and changing what was published."""

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

KNOWN_ENDING = re.compile(
    r"(?<=.)\.(?:mp[1234]|mpe?ga|m4[abprv]|wave?|bwf|rf64|w64|flac?|og[gax]|opus|spx|aac|adts?|alac|aif[fc]?|wma|webm|mka)\s*$",
    re.IGNORECASE,
)
AUDIO_FIELDS = ("audio_file", "audio_format", "audio_bytes", "bitrate", "duration")


@dataclass(frozen=True)
class Recording:
    """An uploaded file and what was found in it; `Recording.inspected` is how to get one."""

    file: File
    facts: AudioFacts
    cover: ContentFile | None = field(default=None)

    @classmethod
    def inspected(cls, file: File) -> "Recording":
        """Raises ValidationError where the file is not music that we can play."""
        facts = inspect_audio(file)
        # Storages that keep a type beside the bytes take it from here, not from what the client said.
        file.content_type = CONTENT_TYPES[facts.format]  # type: ignore[attr-defined]
        return cls(file, facts, _first_readable(facts.tags.covers))

    @property
    def title(self) -> str:
        return self.facts.tags.title or _title_from(self.file.name or "") or "Untitled"


def _title_from(file_name: str) -> str:
    """Return the name of a file without folders and a known ending."""
    name = file_name.replace("\\", "/").rpartition("/")[2].encode(errors="ignore").decode()
    return clean_text(clean_text(KNOWN_ENDING.sub("", name) or name)[:200])


def publish_song(*, artist: User, recording: Recording, **given: Any) -> Song:
    """A new song. What is not given comes from the file's tags: title, album, genre, track, disc, date, mark, cover.

    `given` holds any of title, album (Album), album_title, genre (its title), release_date, track_number,
    disc_number, explicit, visibility, licensing_info. Raises User.DoesNotExist where the artist's account was closed
    meanwhile, and UploadLimitReached.
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
        # An account that is being closed is waited for, and then there is nobody to publish for.
        User.objects.select_for_update().get(pk=artist.pk)
        if song.album is None and album_title:
            song.album = own_album(artist, album_title, release_date=song.release_date)
        song.genre = genre_titled(genre_title, maker=artist) if genre_title else None
        _check_suits_artist(song)
        song.save()
        SongCounts.objects.create(song=song)
        count_upload(artist)
        songs_added.send(Song, songs=[song])
        _give_cover(song.album, cover)
    return song


def update_song(song: Song, *, recording: Recording | None = None, **given: Any) -> Song:
    """Change the given fields; a new recording replaces the old one, whose file goes after commit.

    Raises Song.DoesNotExist where the song was deleted meanwhile, and UploadLimitReached.
    """
    if recording is None:
        return _change(song, **given)
    with stored_audio(song, recording):
        return _change(song, **given, **{name: getattr(song, name) for name in AUDIO_FIELDS})


@transaction.atomic
def _change(song: Song, **given: Any) -> Song:
    if "genre" in given:
        title = given["genre"]
        given["genre"] = genre_titled(title, maker=song.artist) if title else None
    if album_title := given.pop("album_title", None):
        given["album"] = own_album(song.artist, album_title, release_date=song.release_date)
    # As it is now: of two changes at the same time neither may undo the other, or keep a file that went.
    song = Song.objects.select_for_update().get(pk=song.pk)
    if "audio_file" in given:
        count_upload(song.artist)
        discard(song.audio_file.name)
    for name, value in given.items():
        setattr(song, name, value)
    _check_suits_artist(song)
    song.save()
    if "audio_file" in given:
        audio_replaced.send(Song, song=song)
    return song


def _check_suits_artist(song: Song) -> None:
    """Raise ValidationError where the song would not exist for its own artist."""
    if song.explicit and is_child(song.artist):
        reason = ValidationError("A child on somebody's plan can't publish explicit songs.", "child_account")
        raise ValidationError({"explicit": reason})


def today() -> date:
    return timezone.now().date()


def genre_titled(title: str, *, maker: User | None) -> Genre:
    genre, _ = Genre.objects.get_or_create(
        title_key=fold_case(title), defaults={"title": title.strip(), "maker": maker}
    )
    return genre


def own_album(artist: User, title: str, *, release_date: date | None) -> Album:
    """The artist's album of this title whatever its case, made if new."""
    with transaction.atomic():
        # Two uploads at once of a new album's songs must not make it twice.
        User.objects.select_for_update().get(pk=artist.pk)
        for album in Album.objects.filter(artist=artist).order_by("created_at"):
            if fold_case(album.title) == fold_case(title):
                return album
        return Album.objects.create(artist=artist, title=title.strip(), release_date=release_date)


@contextmanager
def stored_audio(song: Song, recording: Recording) -> Iterator[None]:
    """The file first, under a new key; it goes again if its row can't be written."""
    facts = recording.facts
    song.audio_format, song.bitrate, song.audio_bytes = facts.format, facts.bitrate, recording.file.size
    song.duration = round(facts.seconds)
    key = make_key("audio", f"audio.{facts.format}")
    with delete_on_failure(key):  # a full disk keeps the first part of a file
        default_storage.save(key, recording.file)
        song.audio_file = key
        yield


@contextmanager
def _stored_cover(recording: Recording) -> Iterator[str | None]:
    if recording.cover is None:
        yield None
        return
    key = make_key("covers", str(recording.cover.name))
    with delete_on_failure(key):
        default_storage.save(key, recording.cover)
        yield key


def _give_cover(album: Album | None, cover: str | None) -> None:
    """The first cover that comes with a song becomes its album's; a later one is not needed."""
    used = album and cover and Album.objects.filter(pk=album.pk, cover_image="").update(cover_image=cover)
    if not used:
        discard(cover)


def _first_readable(pictures: Iterable[bytes]) -> ContentFile | None:
    """Return the first picture that is one: a broken cover must not cost the artist the upload."""
    for picture in pictures:
        with suppress(ValidationError):
            return reencode_image(ContentFile(picture))
    return None
