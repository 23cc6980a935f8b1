"""The one door to ffmpeg.

Uploads are hostile until proven otherwise, so everything that parses one runs in ffmpeg's own process, under
limits of time and memory. The demuxer is always named by us, never guessed: a playlist that calls itself
.mp3 would make ffmpeg open the files and addresses that it lists.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from typing import IO

from imageio_ffmpeg import get_ffmpeg_exe

DECODE_SECONDS = 60
READ_SECONDS = 10
MEMORY_BYTES = 2**30  # address space; what is resident stays far below
OUTPUT_BYTES = 2**20
RENDERING_SECONDS = 30 * 60
RENDERING_BYTES = 2**29  # of each file; a waveform's samples are the largest

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

# What MP3 can hold at any of our bitrates; of each list ffmpeg takes what is nearest to the source.
MP3_SHAPE = "aformat=sample_rates=32000|44100|48000:channel_layouts=mono|stereo"
LOUDNESS_SUMMARY = re.compile(rb"\bI: +(-?[\d.]+|-?inf|nan) LUFS.*?\bPeak: +(-?[\d.]+|-?inf|nan) dBFS", re.DOTALL)
SUMMARY_BYTES = 4096

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


def render(
    source: IO[bytes], demuxer: str, *, mp3s: Mapping[int, IO[bytes]], samples: IO[bytes]
) -> tuple[float, float]:
    """Everything that is made of a recording, decoded once: answers its loudness in LUFS and true peak in dBTP.

    `mp3s` are files to fill by their kbps; `samples` gets 16-bit mono at MEASURING_RATE. Both numbers are as EBU R 128
    has them; silence has -70 LUFS and a peak of -inf.
    """
    names = [f"mp3_{kbps}" for kbps in mp3s]
    graph = [
        f"[0:a:0]asplit={len(names) + 2}[to_measure][to_sample]{''.join(f'[to_{name}]' for name in names)}",
        "[to_measure]ebur128=peak=true:framelog=quiet[measured]",
        f"[to_sample]aformat=sample_fmts=s16:sample_rates={MEASURING_RATE}:channel_layouts=mono[samples]",
        *(f"[to_{name}]{MP3_SHAPE}[{name}]" for name in names),
    ]
    outputs = ["-map", "[measured]", "-f", "null", os.devnull, "-map", "[samples]", "-f", "s16le", _path(samples)]
    for name, (kbps, target) in zip(names, mp3s.items(), strict=True):
        outputs += ["-map", f"[{name}]", "-map_metadata", "-1", "-c:a", "libmp3lame", "-b:a", f"{kbps}k"]
        outputs += ["-id3v2_version", "0", "-f", "mp3", _path(target)]
    with tempfile.TemporaryFile() as log:
        _run(
            *("-filter_complex_threads", "1", "-max_error_rate", MAX_ERROR_RATE),
            *_input(f"/dev/fd/{source.fileno()}", demuxer),
            *("-filter_complex", ";".join(graph), *outputs),
            seconds=RENDERING_SECONDS,
            output_bytes=RENDERING_BYTES,
            files=[source, samples, *mp3s.values()],
            log=log,
        )
        return _loudness_in(log)


def _path(file: IO[bytes]) -> str:
    """Of a file that need not have a name: what has none can't be left behind, whatever happens to us."""
    return f"file:/dev/fd/{file.fileno()}"


def _loudness_in(log: IO[bytes]) -> tuple[float, float]:
    log.seek(max(log.seek(0, os.SEEK_END) - SUMMARY_BYTES, 0))
    # The last one: tags of the file come in the log too, and may say anything.
    summaries = LOUDNESS_SUMMARY.findall(log.read())
    if not summaries:
        raise FfmpegError("There is no loudness.")
    lufs, peak = summaries[-1]
    return float(lufs), float(peak)


def _copy_picture(path: str, demuxer: str, *, stream: str, target: str, output_bytes: int = OUTPUT_BYTES) -> bytes:
    copy = ("-map", stream, "-frames:v", "1", "-c", "copy", "-f", "image2pipe", target)
    return _run(*_input(path, demuxer), *copy, output_bytes=output_bytes)


def _input(path: str, demuxer: str) -> list[str]:
    decoding = ["-threads", "1", "-codec_whitelist", AUDIO_DECODERS]
    return ["-protocol_whitelist", "file", *decoding, "-f", demuxer, "-i", f"file:{path}"]


def _run(
    *arguments: str,
    seconds: int = READ_SECONDS,
    output_bytes: int = OUTPUT_BYTES,
    files: Iterable[IO[bytes]] = (),
    log: IO[bytes] | None = None,
) -> bytes:
    limits = [str(seconds), str(MEMORY_BYTES // 1024), str(output_bytes // 512)]
    ffmpeg = [get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "info" if log else "fatal", "-nostats", "-y"]
    # A file, not a pipe: the limit on file size bounds what ffmpeg can make us read.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                ["/bin/sh", "-c", LIMITED, "sh", *limits, *ffmpeg, "-filter_threads", "1", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log or subprocess.DEVNULL,
                pass_fds=[file.fileno() for file in files],
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
