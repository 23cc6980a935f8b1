"""Calls of ffmpeg, which no other module starts.

Uploads may be malicious, so whatever decodes one runs in a process of its own, with limits on time, memory and output.
The demuxer is always given, never guessed by ffmpeg: a playlist named .mp3 would make it open the files and addresses
in the playlist.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO

from imageio_ffmpeg import get_ffmpeg_exe

# Limits on processor time.
DECODE_SECONDS = 60
READ_SECONDS = 20
RENDERING_SECONDS = 30 * 60
# Limit on elapsed time, in multiples of the processor time: on a busy machine a process gets only a part of a core.
WAITING_FACTOR = 3
MEMORY_BYTES = 2**30  # of address space; resident memory stays far below
OUTPUT_BYTES = 2**20  # of each file that ffmpeg writes
RENDERING_BYTES = 2**29  # the same while rendering; the samples for the waveform are the largest file

MEASURING_RATE = 8000
SAMPLE_BYTES = 2
# Share of frames that may fail to decode: a few are a scratch, more than one in five mean another format or noise.
MAX_ERROR_RATE = "0.2"
MAX_PICTURE_PIXELS = 40_000_000

# Limits set by a shell that becomes ffmpeg, since subprocess's preexec_fn may deadlock in a threaded server. Units are
# seconds, 1024 bytes and 512 bytes.
LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec "$@"'

# No decoders for images and video: ffmpeg would decode a cover of any size only to print its properties.
AUDIO_DECODERS = (
    "mp3,mp3float,aac,alac,flac,vorbis,opus,"
    # Codecs found in WAV files: plain samples, old ones of WAV's own, and those of telephones, recorders and radio.
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,pcm_s64be,"
    "pcm_f16le,pcm_f24le,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_dk3,adpcm_ima_dk4,adpcm_ima_oki,adpcm_yamaha,adpcm_ct,adpcm_swf,"
    "g722,g726,g723_1,gsm_ms,truespeech,mp2,mp2float,ac3,atrac3,wmav1,wmav2"
)
PICTURE_DECODERS = "theora,mjpeg,png,gif,webp,bmp,h264,mpeg4,vp8,vp9"

# Sample rates and channels that MP3 allows at all of our bitrates. ffmpeg takes those nearest to the source.
MP3_SHAPE = "aformat=sample_rates=32000|44100|48000:channel_layouts=mono|stereo"
LOUDNESS_SUMMARY = re.compile(rb"\bI: +(-?[\d.]+|-?inf|nan) LUFS.*?\bPeak: +(-?[\d.]+|-?inf|nan) dBFS", re.DOTALL)
SUMMARY_BYTES = 4096

# Format of ranges that are joined, since a stream has a single format.
JOINED_SHAPE = "aformat=sample_rates=48000:channel_layouts=stereo"


class FfmpegError(Exception):
    """ffmpeg could not read the file."""


class FfmpegLimitError(FfmpegError):
    """ffmpeg exceeded one of our limits, so it is unknown what the file contains."""


@dataclass(frozen=True)
class Source:
    """A recording in a file: its demuxer, and byte ranges that are joined to get it; none means the whole file."""

    path: str
    demuxer: str
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def inputs(self) -> list[str]:
        """Arguments that open each range as an input."""
        urls = [f"subfile,,start,{start},end,{end},,:file:{self.path}" for start, end in self.ranges]
        opening = ["-protocol_whitelist", "file,subfile", "-threads", "1", "-codec_whitelist", AUDIO_DECODERS]
        return [word for url in urls or [f"file:{self.path}"] for word in [*opening, "-f", self.demuxer, "-i", url]]

    @property
    def joined(self) -> tuple[list[str], str]:
        """Filters that join the ranges (none for a single range), and the name of the resulting stream."""
        if len(self.ranges) < 2:
            return [], "0:a:0"
        names = [f"range{number}" for number in range(len(self.ranges))]
        shaped = [f"[{number}:a:0]{JOINED_SHAPE}[{name}]" for number, name in enumerate(names)]
        return [*shaped, f"{''.join(f'[{name}]' for name in names)}concat=n={len(names)}:v=0:a=1[joined]"], "[joined]"

    def split(self) -> list["Source"]:
        """Return a source for each range."""
        return [Source(self.path, self.demuxer, (part,)) for part in self.ranges] or [self]


@dataclass(frozen=True)
class Packets:
    """Length and size of encoded audio, without tags and pictures."""

    seconds: float
    bytes: int


def decoded_seconds(source: Source, *, longest: float, strict: bool = False) -> float:
    """Return the length that can be decoded, up to `longest` seconds.

    With `strict` damage raises FfmpegError, else it is skipped up to MAX_ERROR_RATE.
    """
    filters, stream = source.joined
    progress = _run(
        *(["-xerror"] if strict else ["-max_error_rate", MAX_ERROR_RATE]),
        *source.inputs,
        *(["-filter_complex", ";".join(filters)] if filters else []),
        *("-map", stream, "-t", f"{longest:.3f}", "-ac", "1", "-ar", str(MEASURING_RATE), "-f", "s16le"),
        *("-progress", "pipe:1", os.devnull),
        seconds=DECODE_SECONDS,
    )
    return _last_number(rb"total_size", progress) / (MEASURING_RATE * SAMPLE_BYTES)


def measure_packets(source: Source, *, longest: float) -> Packets:
    """Measure length and size without decoding, up to `longest` seconds of each range."""
    seconds, size = 0.0, 0
    for part in source.split():
        copy = ("-map", "0:a:0", "-t", f"{longest:.3f}", "-c", "copy", "-f", "data", "-progress", "pipe:1", os.devnull)
        progress = _run(*part.inputs, *copy)
        seconds += _last_number(rb"out_time_us", progress) / 1_000_000
        size += _last_number(rb"total_size", progress)
    return Packets(seconds, size)


def count_video_frames(source: Source) -> int:
    """Count the frames of the longest video stream, up to two; embedded covers do not count.

    Raise FfmpegLimitError.
    """
    try:
        listed = _run(*source.inputs, "-map", "0:V", "-frames:v", "2", "-c", "copy", "-f", "framecrc", "pipe:1")
    except FfmpegLimitError:
        raise
    except FfmpegError:  # there is no video stream
        return 0
    streams = re.findall(rb"^(\d+),", listed, re.MULTILINE)
    return max(map(streams.count, streams), default=0)


def video_frame(source: Source, *, max_bytes: int) -> bytes:
    """Return the first frame of the video: unchanged if it is stored as JPEG, PNG or GIF, else encoded as JPEG.

    Raise FfmpegError.
    """
    picture = ("-map", "0:V:0", "-frames:v", "1")
    copied = _run(*source.inputs, *picture, "-c", "copy", "-f", "image2pipe", "pipe:1", output_bytes=max_bytes)
    if copied.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")):
        return copied
    decoding = ("-max_pixels", str(MAX_PICTURE_PIXELS))
    inputs = [argument.replace(AUDIO_DECODERS, PICTURE_DECODERS) for argument in source.inputs]
    encoding = ("-c:v", "mjpeg", "-q:v", "2", "-strict", "unofficial", "-f", "image2pipe", "pipe:1")
    return _run(*decoding, *inputs, *picture, *encoding, output_bytes=max_bytes)


def encode_mp3(wav: bytes, *, kbps: int = 128) -> bytes:
    with tempfile.NamedTemporaryFile() as source:
        source.write(wav)
        source.flush()
        return _run(*Source(source.name, "wav").inputs, "-b:a", f"{kbps}k", "-f", "mp3", "pipe:1")


def render(
    source: Source, upload: IO[bytes], *, mp3s: Mapping[int, IO[bytes]], samples: IO[bytes]
) -> tuple[float, float]:
    """Encode renditions, write samples for the waveform and measure the loudness, decoding the recording only once.

    `upload` is the open file in which `source` is. `mp3s` maps kbps to the files to write. `samples` gets 16-bit mono
    samples at MEASURING_RATE. Return integrated loudness (LUFS) and true peak (dBTP) as defined by EBU R 128; silence
    has -70 LUFS and a peak of -inf. Raise FfmpegError.
    """
    names = [f"mp3_{kbps}" for kbps in mp3s]
    branches = "".join(f"[to_{name}]" for name in names)
    joining, stream = source.joined
    graph = [
        *joining,
        f"[{stream.strip('[]')}]asplit={len(names) + 2}[to_measure][to_sample]{branches}",
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
            *source.inputs,
            *("-filter_complex", ";".join(graph), *outputs),
            seconds=RENDERING_SECONDS,
            output_bytes=RENDERING_BYTES,
            files=[upload, samples, *mp3s.values()],
            log=log,
        )
        return _read_loudness(log)


def _path(file: IO[bytes]) -> str:
    """Return a path for an open file. It works for unnamed temporary files, which no crash can leave behind."""
    return f"file:/dev/fd/{file.fileno()}"


def _read_loudness(log: IO[bytes]) -> tuple[float, float]:
    log.seek(max(log.seek(0, os.SEEK_END) - SUMMARY_BYTES, 0))
    # The last match, since the log also shows the file's tags, which may contain any text.
    summaries = LOUDNESS_SUMMARY.findall(log.read())
    if not summaries:
        raise FfmpegError("ffmpeg printed no loudness.")
    lufs, peak = summaries[-1]
    return float(lufs), float(peak)


def _run(
    *arguments: str,
    seconds: int = READ_SECONDS,
    output_bytes: int = OUTPUT_BYTES,
    files: Iterable[IO[bytes]] = (),
    log: IO[bytes] | None = None,
) -> bytes:
    """Run ffmpeg under limits and return its standard output. `files` are open files that it may use by /dev/fd.

    Raise FfmpegLimitError if it exceeds a limit, else FfmpegError if it fails.
    """
    limits = [str(seconds), str(MEMORY_BYTES // 1024), str(output_bytes // 512)]
    ffmpeg = [get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "info" if log else "fatal", "-nostats", "-y"]
    # A file, not a pipe, so that the limit on file sizes also limits what is read into memory here.
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                ["/bin/sh", "-c", LIMITED, "sh", *limits, *ffmpeg, "-filter_threads", "1", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log or subprocess.DEVNULL,
                pass_fds=[file.fileno() for file in files],
                timeout=seconds * WAITING_FACTOR,
                # An attacker who takes over ffmpeg finds no secrets in its environment.
                env={},
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise FfmpegLimitError(str(error)) from error
        except subprocess.CalledProcessError as error:
            # A limit ends the process by a signal (SIGXCPU, SIGKILL, SIGXFSZ).
            is_killed = error.returncode < 0
            raise (FfmpegLimitError if is_killed else FfmpegError)(str(error)) from error
        output.seek(0)
        return output.read()


def _last_number(name: bytes, progress: bytes) -> int:
    """Return the last value of `name` in the output of -progress, or 0."""
    numbers = re.findall(rb"^%b=(\d+)$" % name, progress, re.MULTILINE)
    return int(numbers[-1]) if numbers else 0
