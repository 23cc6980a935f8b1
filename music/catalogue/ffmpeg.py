"""The one door to ffmpeg.

Uploads are hostile until proven otherwise, so everything that parses one runs in ffmpeg's own process, under
limits of time and memory. The demuxer is always named by us, never guessed: a playlist that calls itself
.mp3 would make ffmpeg open the files and addresses that it lists.
"""

import os
import re
import subprocess
import tempfile

from imageio_ffmpeg import get_ffmpeg_exe

DECODE_SECONDS = 60
READ_SECONDS = 10
MEMORY_BYTES = 2**30  # address space; what is resident stays far below
OUTPUT_BYTES = 2**20

MEASURING_RATE = 8000
SAMPLE_BYTES = 2
# A broken frame now and then is a scratch; more than one in five is not this format, or not worth hearing.
MAX_ERROR_RATE = "0.2"

# The shell's ulimit holds from ffmpeg's first instruction; preexec_fn may deadlock a threaded server.
LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec "$@"'

# No decoder for pictures or video: ffmpeg would decode a cover, however large, only to describe it.
AUDIO_DECODERS = (
    "mp3,mp3float,aac,alac,flac,vorbis,opus,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw"
)

METADATA_LINE = re.compile(rb"^((?:[^\\=\n]|\\.)+)=((?:[^\\\n]|\\.)*)$", re.MULTILINE | re.DOTALL)
METADATA_SECTION = re.compile(rb"(?<!\\)\n\[")


class FfmpegError(Exception):
    """ffmpeg refused the file."""


class FfmpegLimitError(FfmpegError):
    """ffmpeg ran into one of our limits, so we don't know what the file holds."""


def decoded_seconds(path: str, demuxer: str, *, strict: bool = False) -> float:
    """The length that really decodes, whatever the header says; `strict` ends at the first damage."""
    progress = _run(
        *(["-xerror"] if strict else ["-max_error_rate", MAX_ERROR_RATE]),
        *_input(path, demuxer),
        *("-map", "0:a:0", "-ac", "1", "-ar", str(MEASURING_RATE), "-f", "s16le"),
        *("-progress", "pipe:1", os.devnull),
        seconds=DECODE_SECONDS,
    )
    return _bytes_written(progress) / (MEASURING_RATE * SAMPLE_BYTES)


def audio_bytes(path: str, demuxer: str) -> int:
    """The size of the encoded audio alone, without tags and pictures."""
    return _bytes_written(
        _run(
            *_input(path, demuxer),
            *("-map", "0:a:0", "-c", "copy", "-f", "data", "-progress", "pipe:1", os.devnull),
        )
    )


def has_video(path: str, demuxer: str) -> bool:
    """Whether there is moving video; cover art does not count. Raises FfmpegLimitError."""
    try:
        _copy_picture(path, demuxer, stream="0:V:0", target=os.devnull)
    except FfmpegLimitError:
        raise
    except FfmpegError:
        return False
    return True


def attached_picture(path: str, demuxer: str, *, max_bytes: int) -> bytes:
    """The first embedded picture as it is, unchecked. Raises FfmpegError where there is none."""
    return _copy_picture(path, demuxer, stream="0:v:0", target="pipe:1", output_bytes=max_bytes)


def read_metadata(path: str, demuxer: str) -> dict[str, str]:
    """The tags under ffmpeg's common names in lower case: title, artist, album, genre, track, date …"""
    # Ogg keeps its tags on the stream, all others on the file.
    source = "0:s:a:0" if demuxer == "ogg" else "0"
    written = _run(*_input(path, demuxer), "-map_metadata", source, "-f", "ffmetadata", "pipe:1")
    whole_file = METADATA_SECTION.split(written, maxsplit=1)[0]
    return {_unescape(key).lower(): _unescape(value) for key, value in METADATA_LINE.findall(whole_file)}


def encode_mp3(wav: bytes, *, kbps: int = 128) -> bytes:
    with tempfile.NamedTemporaryFile() as source:
        source.write(wav)
        source.flush()
        return _run(*_input(source.name, "wav"), "-b:a", f"{kbps}k", "-f", "mp3", "pipe:1")


def _copy_picture(path: str, demuxer: str, *, stream: str, target: str, output_bytes: int = OUTPUT_BYTES) -> bytes:
    copy = ("-map", stream, "-frames:v", "1", "-c", "copy", "-f", "image2pipe", target)
    return _run(*_input(path, demuxer), *copy, output_bytes=output_bytes)


def _input(path: str, demuxer: str) -> list[str]:
    decoding = ["-threads", "1", "-codec_whitelist", AUDIO_DECODERS]
    return ["-protocol_whitelist", "file", *decoding, "-f", demuxer, "-i", f"file:{path}"]


def _run(*arguments: str, seconds: int = READ_SECONDS, output_bytes: int = OUTPUT_BYTES) -> bytes:
    limits = [str(seconds), str(MEMORY_BYTES // 1024), str(output_bytes // 512)]
    ffmpeg = [get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "fatal", "-nostats", "-y"]
    # A file, not a pipe: the limit on file size bounds what ffmpeg can make us read.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                ["/bin/sh", "-c", LIMITED, "sh", *limits, *ffmpeg, "-filter_threads", "1", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise FfmpegLimitError(str(error)) from error
        except subprocess.CalledProcessError as error:
            killed = error.returncode < 0
            raise (FfmpegLimitError if killed else FfmpegError)(str(error)) from error
        output.seek(0)
        return output.read()


def _bytes_written(progress: bytes) -> int:
    sizes = re.findall(rb"^total_size=(\d+)$", progress, re.MULTILINE)
    return int(sizes[-1]) if sizes else 0


def _unescape(escaped: bytes) -> str:
    plain = re.sub(rb"\\(.)", rb"\1", escaped, flags=re.DOTALL)
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return plain.decode("latin-1")  # old WAV files
