"""What an uploaded audio file really is: told by its content, measured by decoding it."""

import datetime
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.files import File

from .ffmpeg import FfmpegError, attached_picture, audio_bytes, decoded_seconds, has_video, read_metadata
from .images import MAX_IMAGE_BYTES

MAX_AUDIO_BYTES = 50 * 2**20
MAX_TEXT_LENGTH = 200
MAX_TRACK_NUMBER = 32767
MAX_ID3_TAGS = 8
CONSECUTIVE_FRAMES = 3

CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
}
DEMUXERS = {"mp3": "mp3", "wav": "wav", "m4a": "mov", "flac": "flac", "ogg": "ogg", "aac": "aac"}

# ISO 11172-3 and 13818-3, layer III: kbps by index, and the rates of MPEG 1, which MPEG 2 and 2.5 divide.
MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
MPEG1_RATES = (44100, 48000, 32000)
RATE_DIVISORS = {0b11: 1, 0b10: 2, 0b00: 4}

DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?(?:[T ].*)?", re.DOTALL)
TRACK_NUMBER = re.compile(r"\s*([0-9]{1,5})(?![0-9])")


@dataclass(frozen=True)
class AudioTags:
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    track_number: int | None = None
    release_date: datetime.date | None = None
    cover: bytes | None = None


@dataclass(frozen=True)
class AudioFacts:
    format: str
    seconds: float
    bitrate: int
    tags: AudioTags


def inspect_audio(file: File) -> AudioFacts:
    """Format, decoded seconds, kbps of the audio alone, and tags with the cover as it is, unchecked.

    Raises ValidationError with code empty_file, file_too_large or invalid_audio.
    """
    _check_size(file)
    with _on_disk(file) as path:
        audio_format = _recognise(path)
        return _measure(path, audio_format)


def _check_size(file: File) -> None:
    if not file.size:
        raise ValidationError("This file is empty. Choose another one.", code="empty_file")
    if file.size > MAX_AUDIO_BYTES:
        raise ValidationError(
            "This file is larger than 50 MB. Upload a shorter or more compressed one.", code="file_too_large"
        )


@contextmanager
def _on_disk(file: File) -> Iterator[str]:
    file.seek(0)
    try:
        if is_on_disk(file):
            yield _path(file)
        else:
            with tempfile.TemporaryFile() as copy:
                for chunk in file.chunks():
                    copy.write(chunk)
                copy.flush()
                yield _path(copy)
    finally:
        file.seek(0)


def is_on_disk(file: File) -> bool:
    try:
        return file.fileno() >= 0
    except (AttributeError, io.UnsupportedOperation):
        return False


def _path(file: Any) -> str:
    """Of a file that need not have a name, for other processes too: what has none is not left behind by a crash."""
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"


def _measure(path: str, audio_format: str) -> AudioFacts:
    demuxer = DEMUXERS[audio_format]
    try:
        if has_video(path, demuxer):
            raise _invalid("This file holds a video. Upload its sound alone.")
        # MP4 says where every frame is, so damage is certain; the others are streams that play on after it.
        seconds = decoded_seconds(path, demuxer, strict=audio_format == "m4a")
        size = audio_bytes(path, demuxer)
    except FfmpegError as error:
        raise _undecodable(audio_format) from error
    _check_length(path, audio_format, seconds)
    return AudioFacts(audio_format, seconds, round(size * 8 / 1000 / seconds), _read_tags(path, demuxer))


def _check_length(path: str, audio_format: str, seconds: float) -> None:
    if not seconds:
        raise _undecodable(audio_format)
    # Of the lengths that headers state only FLAC's is to be trusted: a WAV made by a stream states 4 GB.
    if audio_format == "flac" and seconds < 0.9 * _stated_flac_seconds(path):
        raise _invalid("This FLAC file ends too early. Export or upload it again.")


def _undecodable(audio_format: str) -> ValidationError:
    return _invalid(f"The sound in this {audio_format.upper()} file can't be decoded. Export it again.")


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_audio")


def _recognise(path: str) -> str:
    with open(path, "rb") as file:
        start = _after_id3(file)
        file.seek(start)
        head = file.read(12)
        if head.startswith(b"fLaC"):
            return "flac"
        if head.startswith(b"OggS"):
            return "ogg"
        if head.startswith(b"RIFF") and head.endswith(b"WAVE"):
            return "wav"
        if head[4:8] == b"ftyp":
            return "m4a"
        if _frames_follow(file, start, _mp3_frame_size):
            return "mp3"
        if _frames_follow(file, start, _adts_frame_size):
            return "aac"
    raise _invalid("This is not an audio file that we can read. Upload MP3, WAV, M4A, FLAC, OGG or AAC.")


def _after_id3(file: BinaryIO) -> int:
    start = 0
    for _ in range(MAX_ID3_TAGS):
        tag_size = _id3_size(file, start)
        if not tag_size:
            break
        start += tag_size
        start += _padding(file, start)
    return start


def _id3_size(file: BinaryIO, start: int) -> int:
    file.seek(start)
    header = file.read(10)
    if len(header) < 10 or not header.startswith(b"ID3"):
        return 0
    footer_size = 10 if header[5] & 0x10 else 0
    return 10 + _syncsafe(header[6:]) + footer_size


def _padding(file: BinaryIO, start: int) -> int:
    # Some taggers forget to count their padding.
    file.seek(start)
    zeros = file.read(2**16)
    return len(zeros) - len(zeros.lstrip(b"\0"))


def _syncsafe(size: bytes) -> int:
    return size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]


def _frames_follow(file: BinaryIO, start: int, frame_size: Callable[[bytes], int]) -> bool:
    # One sync word comes by chance in any bytes; several, each just where the last frame ends, do not.
    for _ in range(CONSECUTIVE_FRAMES):
        file.seek(start)
        header = file.read(7)
        size = frame_size(header) if len(header) == 7 else 0
        if not size:
            return False
        start += size
    return True


def _mp3_frame_size(header: bytes) -> int:
    bits = int.from_bytes(header[:4])
    version, layer = bits >> 19 & 0b11, bits >> 17 & 0b11
    rate_index = bits >> 10 & 0b11
    if bits >> 21 != 0x7FF or layer != 0b01 or version not in RATE_DIVISORS or rate_index == 0b11:
        return 0
    kbps = (MPEG1_KBPS if version == 0b11 else MPEG2_KBPS)[bits >> 12 & 0b1111]
    samples_per_bit = 144 if version == 0b11 else 72
    rate = MPEG1_RATES[rate_index] // RATE_DIVISORS[version]
    return samples_per_bit * kbps * 1000 // rate + (bits >> 9 & 1) if kbps else 0


def _adts_frame_size(header: bytes) -> int:
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    size = (header[3] & 0b11) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else 0


def _stated_flac_seconds(path: str) -> float:
    with open(path, "rb") as file:
        file.seek(_after_id3(file) + 18)
        stream_info = int.from_bytes(file.read(8))
    rate, samples = stream_info >> 44, stream_info & (2**36 - 1)
    return samples / rate if rate else 0


def _read_tags(path: str, demuxer: str) -> AudioTags:
    try:
        metadata = read_metadata(path, demuxer)
    except FfmpegError:
        metadata = {}
    return AudioTags(
        **{name: _text(metadata.get(name, "")) for name in ("title", "artist", "album", "genre")},
        track_number=_track_number(metadata.get("track", "")),
        release_date=_date(metadata.get("date", "")),
        cover=_cover(path, demuxer),
    )


def _cover(path: str, demuxer: str) -> bytes | None:
    try:
        return attached_picture(path, demuxer, max_bytes=MAX_IMAGE_BYTES) or None
    except FfmpegError:
        return None


def _text(value: str) -> str | None:
    # PostgreSQL stores neither NUL nor half a surrogate pair.
    storable = value.replace("\0", "").encode(errors="ignore").decode()
    return storable.strip()[:MAX_TEXT_LENGTH].strip() or None


def _track_number(value: str) -> int | None:
    match = TRACK_NUMBER.match(value)
    number = int(match[1]) if match else 0
    return number if 1 <= number <= MAX_TRACK_NUMBER else None


def _date(value: str) -> datetime.date | None:
    match = DATE.fullmatch(value.strip())
    if not match:
        return None
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
