"""Inspection of uploaded audio: the format is recognised by the file's content, the length measured by decoding it."""

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File

from core.images.reencoder import MAX_IMAGE_BYTES

from .ffmpeg import (
    FfmpegError,
    FfmpegLimitError,
    Source,
    count_video_frames,
    decoded_seconds,
    measure_packets,
    video_frame,
)
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

# First bytes of web pages, images, documents, archives, programs and video. MP3 frames may be found further on in such
# a file (in a video, or appended to a web page to smuggle it in), but players would not open it as a recording.
OTHER_FILES = re.compile(
    rb"[\s\0\xef\xbb\xbf]*(?:<[a-z!?/]|%PDF|%!PS|\{\\rtf|#!|#EXTM3U|PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|\x7fELF|MZ\x90"
    rb"|\x89PNG|GIF8|\xff\xd8\xff|8BPS|RIFF|FORM|FLV\x01|OggS|fLaC|caff|\x1a\x45\xdf\xa3|\x30\x26\xb2\x75"
    rb"|\x00\x00\x01[\xba\xb3]|\xd0\xcf\x11\xe0|.{4}(?:ftyp|moov|mdat|free|skip|wide))",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class AudioFacts:
    format: str  # a key of CONTENT_TYPES
    seconds: float
    bitrate: int  # kbps of the encoded audio, without tags and pictures
    tags: AudioTags


def inspect_audio(file: File) -> AudioFacts:
    """Recognise and measure a file, and read its tags. The covers in the tags are unchecked bytes.

    Raise ValidationError with code empty_file, file_too_large or invalid_audio.
    """
    if not file.size:
        raise ValidationError("This file is empty. Choose another one.", code="empty_file")
    if file.size > MAX_AUDIO_BYTES:
        raise ValidationError(
            "This file is larger than 50 MB. Upload a shorter or more compressed one.", code="file_too_large"
        )
    with _path_on_disk(file) as path, open(path, "rb") as content:
        location = _recognize(content)
        facts = _measure(location, path)
        tags = read_tags(content, location.format, location.leading_tags, location.start)
        if not tags.covers and facts.tags.covers:
            tags = replace(tags, covers=facts.tags.covers)
        return replace(facts, tags=tags)


@contextmanager
def _path_on_disk(file: File) -> Iterator[str]:
    """Yield a path under which other processes can read the file; a file in memory is copied to disk for that time."""
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
    """Return a path for an open file. It works for unnamed temporary files, which no crash can leave behind."""
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"


@dataclass(frozen=True)
class Location:
    """The format of the audio in a file, and where it is."""

    format: str
    start: int  # offset of the first byte of the audio, behind the leading tags
    leading_tags: list[LeadingTag]
    ranges: tuple[tuple[int, int], ...] = ()  # as in Source

    def source(self, path: str) -> Source:
        return Source(path, DEMUXERS[self.format], self.ranges)


def locate_audio(file: BinaryIO, audio_format: str) -> Location:
    """Find the audio in a file whose format is known."""
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
    """Find out the format of a file from its content, and where the audio is in it."""
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
    location = locate_audio(file, audio_format)
    if len(location.ranges) > MAX_LINKS:
        raise _invalid("This OGG file is a chain of too many different recordings. Upload them one by one.")
    return location


def _format_of_container(head: bytes) -> str | None:
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(WAVE_SIGNATURES) and head[8:12] == b"WAVE":
        return "wav"
    return "m4a" if head[4:8] == b"ftyp" else None


def _find_frames(file: BinaryIO, leading: list[LeadingTag], start: int) -> FrameRun | None:
    """Find frames in the megabyte behind `start`, or else behind the last tag's header.

    The second place is for taggers that state too large a size, so that the audio seems to be inside the tag.
    """
    for begin in [start, *(tag.start + 10 for tag in leading[-1:])]:
        file.seek(begin)
        if run := find_frames(file.read(WINDOW_BYTES)):
            return run._replace(start=begin + run.start)
    return None


def _measure(location: Location, path: str) -> AudioFacts:
    """Return format, length and bitrate; in the tags only a cover that is stored as a video of one frame.

    Raise ValidationError if the file has a video, is too long, or can't be decoded.
    """
    source = location.source(path)
    longest = settings.MAX_SONG_SECONDS
    try:
        video_frames = count_video_frames(source)
        if video_frames > 1:
            raise _invalid("This file contains a video. Upload its sound alone.")
        # Before decoding, which takes long for files that have much audio in few bytes, such as hours of silence.
        packets = measure_packets(source, longest=longest + 1)
        if packets.seconds > longest:
            raise _too_long()
        # An MP4 lists where every frame is, so a frame that can't be decoded is certainly damage. The other formats are
        # streams in which players skip what they can't decode.
        seconds = decoded_seconds(source, longest=longest + 1, strict=location.format == "m4a")
    except FfmpegLimitError as error:
        raise _invalid("This file takes too long to read. Export it again, or upload it in parts.") from error
    except FfmpegError as error:
        raise _undecodable(location.format) from error
    if seconds > longest:
        raise _too_long()
    if not seconds:
        raise _undecodable(location.format)
    # Only FLAC's header is trustworthy about the length: a WAV from a stream, for example, states 4 GB.
    if location.format == "flac" and seconds < 0.9 * _stated_flac_seconds(path, location.start):
        raise _invalid("This FLAC file ends too early. Export or upload it again.")
    covers: tuple[bytes, ...] = ()
    if video_frames:
        with suppress(FfmpegError):  # a cover that can't be read is no reason to refuse the recording
            covers = (video_frame(source, max_bytes=MAX_IMAGE_BYTES),)
    return AudioFacts(location.format, seconds, round(packets.bytes * 8 / 1000 / seconds), AudioTags(covers=covers))


def _too_long() -> ValidationError:
    hours = settings.MAX_SONG_SECONDS / 3600
    return _invalid(f"This file plays for more than {hours:g} hours. Upload it in parts.")


def _undecodable(audio_format: str) -> ValidationError:
    return _invalid(f"The sound in this {audio_format.upper()} file can't be decoded. Export it again.")


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_audio")


def _stated_flac_seconds(path: str, start: int) -> float:
    """Return the length in a FLAC's STREAMINFO block (RFC 9639, section 8.2); 0 if it states none."""
    with open(path, "rb") as file:
        # Behind "fLaC", the block's header and four sizes: 20 bits of sample rate, 3 of channels, 5 of sample size, and
        # 36 of the number of samples.
        file.seek(start + 18)
        stream_info = int.from_bytes(file.read(8))
    rate, samples = stream_info >> 44, stream_info & (2**36 - 1)
    return samples / rate if rate else 0
