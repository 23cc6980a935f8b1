"""Song data from an audio file's tags: tag_formats.py reads the tags, this module chooses and cleans the values."""

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

# Names of a field in any of the tag formats, the preferred one first.
TITLE, ALBUM, ARTIST, GENRE = ("title",), ("album",), ("artist",), ("genre",)
TRACK, DISC = ("track", "tracknumber"), ("disc", "discnumber", "disk", "disknumber")
DATES = ("date", "year", "releasedate", "originaldate", "originalyear")
# Names of date fields that are about the file and not about the recording.
ABOUT_THE_FILE = re.compile("encod|tagg|purchas|rip|added|play|modif|import|file|updat")
# Values of "explicit" fields. In iTunes' rtng 1 and 4 are explicit, 2 is clean and 0 is unrated.
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
    covers: tuple[bytes, ...] = ()  # unchecked bytes, the front cover first


class LeadingTag(NamedTuple):
    kind: str  # "id3v2" or "apev2"
    start: int
    end: int


def find_leading_tags(file: BinaryIO) -> list[LeadingTag]:
    """Find the ID3v2 and APEv2 tags in front of the audio. Each includes the padding of zeros behind it."""
    tags: list[LeadingTag] = []
    position = 0
    for _ in range(MAX_LEADING_TAGS):
        file.seek(position)
        header = file.read(32)
        if header.startswith(b"ID3") and len(header) >= 10:
            size = 10 + syncsafe(header[6:10]) + (10 if header[5] & 0x10 else 0)
            tags.append(LeadingTag("id3v2", position, position + size))
        elif header.startswith(b"APETAGEX") and len(header) == 32:
            # The stated size includes the items and the footer, but not the header.
            tags.append(LeadingTag("apev2", position, position + 32 + int.from_bytes(header[12:16], "little")))
        else:
            break
        position = tags[-1].end
        # Some taggers do not include the padding in the stated size.
        file.seek(position)
        zeros = file.read(2**16)
        position += len(zeros) - len(zeros.lstrip(b"\0"))
        tags[-1] = tags[-1]._replace(end=position)
    return tags


def read_tags(file: BinaryIO, audio_format: str, leading: list[LeadingTag], start: int) -> AudioTags:
    """Read all tags: in front of the audio (which begins at `start`), in its container, and at the end of the file.

    If tags contradict each other, the first one in the order of `_all_tags` wins.
    """
    tags = list(_all_tags(file, audio_format, leading, start))
    advisories = map(str.lower, _values(tags, ("rtng", "itunesadvisory", "advisory", "explicit")))
    return AudioTags(
        title=_first_text(tags, TITLE),
        artist=_first_text(tags, ARTIST),
        album=_first_text(tags, ALBUM),
        genre=_first_text(tags, GENRE),
        track_number=_number(tags, TRACK),
        disc_number=_number(tags, DISC),
        release_date=_release_date(tags),
        explicit=next((ADVISORIES[value] for value in advisories if value in ADVISORIES), None),
        covers=_covers(tags),
    )


def _all_tags(file: BinaryIO, audio_format: str, leading: list[LeadingTag], start: int) -> Iterator[RawTags]:
    """Yield the tags of a file, the most trustworthy first: those of the container, ID3v2, ID3v1 and APEv2."""
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
            # The stated size may be too large or too small. The reader stops at the first bytes that are no frame.
            end = start if tag == leading[-1] else tag.end
            yield read_id3v2(_read(file, tag.start, max(end, tag.end)))
    yield from _trailing_tags(file)
    for tag in leading:
        if tag.kind == "apev2":
            yield read_apev2(_read(file, tag.start + 32, tag.end))


def _trailing_tags(file: BinaryIO) -> Iterator[RawTags]:
    end = file.seek(0, os.SEEK_END)
    last = _read(file, end - 128, end) if end >= 128 else b""
    # "APETAGEX", with which an APEv2 tag begins, contains "TAG" too: a small one may begin 131 bytes before the end.
    if last.startswith(b"TAG") and _read(file, end - 131, end - 123) != b"APETAGEX":
        yield read_id3v1(last)
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
            for value in raw.texts.get(name, ()):
                # Cleaned again, since the cut may leave a space at the end.
                if text := clean_text(clean_text(value)[:MAX_TEXT_LENGTH]):
                    yield text


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
        # The known names first, then other fields with a date, and the copyright line, which often begins with a year.
        others = [name for name in raw.texts if name not in DATES and re.search("date|year", name)]
        names = (*DATES, *(name for name in others if not ABOUT_THE_FILE.search(name)), "copyright")
        days = list(filter(None, (first_date(_date_texts(raw, name)) for name in names)))
        if days:
            # A field with only the year is often accompanied by another one with the full date of the same year.
            same_year = (day for day in days if day.year == days[0].year and (day.month, day.day) != (1, 1))
            return days[0] if (days[0].month, days[0].day) != (1, 1) else next(same_year, days[0])
    return None


def _date_texts(raw: RawTags, name: str) -> Iterator[str]:
    for text in raw.texts.get(name, ()):
        # ID3v2.3 has the year (TYER) and DDMM (TDAT) in separate frames.
        for day in raw.texts.get("day and month", ()) if name == "year" else ():
            yield f"{text.strip()}-{day.strip()[2:4]}-{day.strip()[:2]}"
        yield text


def _covers(tags: list[RawTags]) -> tuple[bytes, ...]:
    pictures = [picture for raw in tags for picture in raw.pictures]
    possible = [each for each in pictures if each.kind not in ICONS and 0 < len(each.data) <= MAX_IMAGE_BYTES]
    possible.sort(key=lambda picture: picture.kind != FRONT_COVER)
    return tuple(picture.data for picture in possible[:MAX_COVERS])
