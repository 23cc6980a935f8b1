"""What the tags of an audio file say about a song, whoever wrote them."""

import datetime
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from core.images.reencoder import MAX_IMAGE_BYTES
from core.text import clean_text
from music.catalogue.ogg import read_comments
from music.catalogue.tag_dates import first_date
from music.catalogue.tag_formats import (
    FRONT_COVER,
    MAX_TAG_BYTES,
    Picture,
    RawTags,
    read_apev2,
    read_flac,
    read_id3v1,
    read_id3v2,
    read_mp4,
    read_vorbis_comment,
    read_wave,
    syncsafe,
)

MAX_TEXT_LENGTH = 200
MAX_NUMBER = 32767
MAX_LEADING_TAGS = 8
MAX_COVERS = 4
ICONS = (1, 2)
NUMBER = re.compile(r"\s*([0-9]{1,5})(?![0-9])")

TITLE, ALBUM, ARTIST, GENRE = ("title",), ("album",), ("artist",), ("genre",)
TRACK, DISC = ("track", "tracknumber"), ("disc", "discnumber", "disk", "disknumber")
DATES = ("date", "year", "releasedate", "originaldate", "originalyear")
ABOUT_THE_FILE = re.compile("encod|tagg|purchas|rip|added|play|modif|import|file|updat")
ADVISORIES = {
    **dict.fromkeys(("1", "4", "explicit", "true", "yes"), True),
    **dict.fromkeys(("0", "2", "clean", "false", "no"), False),
}


@dataclass(frozen=True)
class AudioTags:
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    track_number: int | None = None
    disc_number: int | None = None
    release_date: datetime.date | None = None
    explicit: bool | None = None
    covers: tuple[bytes, ...] = ()  # as they are, unchecked; the best first


class LeadingTag(NamedTuple):
    kind: str
    start: int
    end: int


def find_leading_tags(file: BinaryIO) -> list[LeadingTag]:
    """Find the ID3v2 and APEv2 tags in front of the sound, with the zeros that fill them up."""
    tags: list[LeadingTag] = []
    position = 0
    for _ in range(MAX_LEADING_TAGS):
        file.seek(position)
        header = file.read(32)
        if header.startswith(b"ID3") and len(header) >= 10:
            size = 10 + syncsafe(header[6:10]) + (10 if header[5] & 0x10 else 0)
            tags.append(LeadingTag("id3v2", position, position + size))
        elif header.startswith(b"APETAGEX") and len(header) == 32:
            # Its size is that of the items and a footer.
            tags.append(LeadingTag("apev2", position, position + 32 + int.from_bytes(header[12:16], "little")))
        else:
            break
        position = tags[-1].end
        # Some taggers forget to count their padding.
        file.seek(position)
        zeros = file.read(2**16)
        position += len(zeros) - len(zeros.lstrip(b"\0"))
        tags[-1] = tags[-1]._replace(end=position)
    return tags


def read_tags(file: BinaryIO, audio_format: str, leading: list[LeadingTag], start: int) -> AudioTags:
    """Read what stands in front of the sound (which begins at `start`), within its container, and behind it."""
    tags = list(_all_tags(file, audio_format, leading, start))
    return AudioTags(
        title=_first_text(tags, TITLE),
        artist=_first_text(tags, ARTIST),
        album=_first_text(tags, ALBUM),
        genre=_first_text(tags, GENRE),
        track_number=_number(tags, TRACK),
        disc_number=_number(tags, DISC),
        release_date=_release_date(tags),
        explicit=_is_explicit(tags),
        covers=_covers(tags),
    )


def _all_tags(file: BinaryIO, audio_format: str, leading: list[LeadingTag], start: int) -> Iterator[RawTags]:
    if audio_format == "flac":
        yield read_flac(file, start)
    elif audio_format == "ogg":
        yield read_vorbis_comment(read_comments(file, start))
    elif audio_format == "m4a":
        yield read_mp4(file, start)
    elif audio_format == "wav":
        info, id3 = read_wave(file, start)
        yield from [read_id3v2(id3), info] if id3 else [info]
    for tag in leading:
        if tag.kind == "id3v2":
            # Its size may be off: the reader stops where the frames do.
            end = start if tag == leading[-1] else tag.end
            yield read_id3v2(_read(file, tag.start, max(end, tag.end)))
    yield from _trailing_tags(file)
    for tag in leading:
        if tag.kind == "apev2":
            yield read_apev2(_read(file, tag.start + 32, tag.end))


def _trailing_tags(file: BinaryIO) -> Iterator[RawTags]:
    end = file.seek(0, os.SEEK_END)
    old = _read(file, end - 128, end) if end >= 128 else b""
    # "APETAGEX" has these letters too, and a small APE tag may begin just there.
    if old.startswith(b"TAG") and _read(file, end - 131, end - 123) != b"APETAGEX":
        yield read_id3v1(old)
        end -= 128
    footer = _read(file, end - 32, end) if end >= 32 else b""
    size = int.from_bytes(footer[12:16], "little")
    if footer.startswith(b"APETAGEX") and 32 <= size <= min(end, MAX_TAG_BYTES):
        yield read_apev2(_read(file, end - size, end - 32))


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(max(end - start, 0), MAX_TAG_BYTES))


def _values(tags: Iterable[RawTags], names: tuple[str, ...]) -> Iterator[str]:
    for raw in tags:
        for name in names:
            yield from filter(None, map(_text, raw.texts.get(name, ())))


def _text(value: str) -> str:
    return clean_text(clean_text(value)[:MAX_TEXT_LENGTH])


def _first_text(tags: list[RawTags], names: tuple[str, ...]) -> str | None:
    return next(_values(tags, names), None)


def _number(tags: list[RawTags], names: tuple[str, ...]) -> int | None:
    for value in _values(tags, names):
        match = NUMBER.match(value)
        if match and 1 <= int(match[1]) <= MAX_NUMBER:
            return int(match[1])
    return None


def _release_date(tags: list[RawTags]) -> datetime.date | None:
    for raw in tags:
        others = [name for name in raw.texts if name not in DATES and re.search("date|year", name)]
        names = (*DATES, *(name for name in others if not ABOUT_THE_FILE.search(name)), "copyright")
        days = list(filter(None, (first_date(_date_texts(raw, name)) for name in names)))
        if days:
            # A field with the year alone often stands beside one with the day.
            same_year = (day for day in days if day.year == days[0].year and (day.month, day.day) != (1, 1))
            return days[0] if (days[0].month, days[0].day) != (1, 1) else next(same_year, days[0])
    return None


def _date_texts(raw: RawTags, name: str) -> Iterator[str]:
    for text in raw.texts.get(name, ()):
        # Version 2.3 of ID3 writes year and DDMM apart.
        for day in raw.texts.get("day and month", ()) if name == "year" else ():
            yield f"{text.strip()}-{day.strip()[2:4]}-{day.strip()[:2]}"
        yield text


def _is_explicit(tags: list[RawTags]) -> bool | None:
    for value in _values(tags, ("rtng", "itunesadvisory", "advisory", "explicit")):
        if value.lower() in ADVISORIES:
            return ADVISORIES[value.lower()]
    return None


def _covers(tags: list[RawTags]) -> tuple[bytes, ...]:
    pictures = [picture for raw in tags for picture in raw.pictures if _may_be_cover(picture)]
    pictures.sort(key=lambda picture: picture.kind != FRONT_COVER)
    return tuple(picture.data for picture in pictures[:MAX_COVERS])


def _may_be_cover(picture: Picture) -> bool:
    return picture.kind not in ICONS and 0 < len(picture.data) <= MAX_IMAGE_BYTES
