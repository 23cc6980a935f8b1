"""What an uploaded audio file really is: told by its content, measured by decoding it."""

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File

from core.images.reencoder import MAX_IMAGE_BYTES

from .ffmpeg import FfmpegError, FfmpegLimitError, Source, count_video_frames, decoded_seconds, measure_packets
from .ffmpeg import video_frame as read_video_frame
from .mpeg_frames import WINDOW_BYTES, FrameRun, find_frames
from .ogg import MAX_LINKS, differing_links
from .tags import AudioTags, LeadingTag, find_leading_tags, read_tags

MAX_AUDIO_BYTES = 50 * 2**20

CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
}
DEMUXERS = {"mp3": "mp3", "wav": "wav", "m4a": "mov", "flac": "flac", "ogg": "ogg", "aac": "aac"}
WAVE_SIGNATURES = (b"RIFF", b"RIFX", b"RF64", b"BW64")

# How pages, pictures, documents, archives, programs and other media begin. Frames of MP3 may follow one, in a video or
# behind a page that hides before them, but then the file is no recording that players would open as one.
OTHER_FILES = re.compile(
    rb"[\s\0\xef\xbb\xbf]*(?:<[a-z!?/]|%PDF|%!PS|\{\\rtf|#!|#EXTM3U|PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|\x7fELF|MZ\x90"
    rb"|\x89PNG|GIF8|\xff\xd8\xff|8BPS|RIFF|FORM|FLV\x01|OggS|fLaC|caff|\x1a\x45\xdf\xa3|\x30\x26\xb2\x75"
    rb"|\x00\x00\x01[\xba\xb3]|\xd0\xcf\x11\xe0|.{4}(?:ftyp|moov|mdat|free|skip|wide))",
    re.DOTALL | re.IGNORECASE,
)


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
    with _on_disk(file) as path, open(path, "rb") as content:
        sound = _recognize(content)
        facts = _measure(sound, path)
        tags = read_tags(content, sound.format, sound.leading_tags, sound.start)
        if not tags.covers and facts.tags.covers:
            tags = replace(tags, covers=facts.tags.covers)
        return replace(facts, tags=tags)


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


@dataclass(frozen=True)
class Location:
    """Where the sound of a file is, and what it is."""

    format: str
    start: int
    leading_tags: list[LeadingTag]
    ranges: tuple[tuple[int, int], ...] = ()

    def source(self, path: str) -> Source:
        return Source(path, DEMUXERS[self.format], self.ranges)


def locate_sound(file: BinaryIO, audio_format: str) -> Location:
    """Find the sound of a file whose format is known."""
    leading = find_leading_tags(file)
    start = leading[-1].end if leading else 0
    size = file.seek(0, os.SEEK_END)
    if audio_format in ("mp3", "aac"):
        if run := _find_frames(file, leading, start):
            start = run.start
        return Location(audio_format, start, leading, ((start, size),) if start else ())
    links = differing_links(file, start) if audio_format == "ogg" else []
    return Location(audio_format, start, leading, tuple((link.start, link.end) for link in links))


def _recognize(file: BinaryIO) -> Location:
    leading = find_leading_tags(file)
    start = leading[-1].end if leading else 0
    file.seek(start)
    head = file.read(64)
    audio_format = _format_of_container(head)
    if audio_format is None and not OTHER_FILES.match(head):
        run = _find_frames(file, leading, start)
        audio_format = run and run.format
    if audio_format is None:
        raise _invalid("This is not an audio file that we can read. Upload MP3, WAV, M4A, FLAC, OGG or AAC.")
    sound = locate_sound(file, audio_format)
    if len(sound.ranges) > MAX_LINKS:
        raise _invalid("This OGG file is chained of too many different recordings. Upload them one by one.")
    return sound


def _format_of_container(head: bytes) -> str | None:
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(WAVE_SIGNATURES) and head[8:12] == b"WAVE":
        return "wav"
    return "m4a" if head[4:8] == b"ftyp" else None


def _find_frames(file: BinaryIO, leading: list[LeadingTag], start: int) -> FrameRun | None:
    """Find frames within a megabyte from `start`, or within the last tag where its size leads past all of them."""
    for begin in [start, *(tag.start + 10 for tag in leading[-1:])]:
        file.seek(begin)
        if run := find_frames(file.read(WINDOW_BYTES)):
            return run._replace(start=begin + run.start)
    return None


def _measure(sound: Location, path: str) -> AudioFacts:
    source = sound.source(path)
    longest = settings.MAX_SONG_SECONDS
    try:
        video_frames = count_video_frames(source)
        if video_frames > 1:
            raise _invalid("This file holds a video. Upload its sound alone.")
        # Before decoding, which takes long where much sound needs few bytes, such as hours of silence.
        packets = measure_packets(source, longest=longest + 1)
        if packets.seconds > longest:
            raise _too_long()
        # MP4 says where every frame is, so damage is certain; the others are streams that play on after it.
        seconds = decoded_seconds(source, longest=longest + 1, strict=sound.format == "m4a")
    except FfmpegLimitError as error:
        raise _invalid("This file takes too long to read. Export it again, or upload it in parts.") from error
    except FfmpegError as error:
        raise _undecodable(sound.format) from error
    if seconds > longest:
        raise _too_long()
    _check_length(path, sound, seconds)
    covers = _picture_in_video(source) if video_frames else ()
    return AudioFacts(sound.format, seconds, round(packets.bytes * 8 / 1000 / seconds), AudioTags(covers=covers))


def _picture_in_video(source: Source) -> tuple[bytes, ...]:
    """Return the cover that ffmpeg turned into a video of one frame."""
    try:
        return (read_video_frame(source, max_bytes=MAX_IMAGE_BYTES),)
    except FfmpegError:
        return ()


def _too_long() -> ValidationError:
    hours = settings.MAX_SONG_SECONDS / 3600
    return _invalid(f"This file plays for more than {hours:g} hours. Upload it in parts.")


def _check_length(path: str, sound: Location, seconds: float) -> None:
    if not seconds:
        raise _undecodable(sound.format)
    # Of the lengths that headers state only FLAC's is to be trusted: a WAV made by a stream states 4 GB.
    if sound.format == "flac" and seconds < 0.9 * _stated_flac_seconds(path, sound.start):
        raise _invalid("This FLAC file ends too early. Export or upload it again.")


def _undecodable(audio_format: str) -> ValidationError:
    return _invalid(f"The sound in this {audio_format.upper()} file can't be decoded. Export it again.")


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_audio")


def _stated_flac_seconds(path: str, start: int) -> float:
    with open(path, "rb") as file:
        file.seek(start + 18)
        stream_info = int.from_bytes(file.read(8))
    rate, samples = stream_info >> 44, stream_info & (2**36 - 1)
    return samples / rate if rate else 0
