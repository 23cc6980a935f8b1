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
from dataclasses import dataclass
from typing import IO

from imageio_ffmpeg import get_ffmpeg_exe

DECODE_SECONDS = 60
READ_SECONDS = 20
# A busy machine gives a process less than a second of processor time each second.
WAITING_FACTOR = 3
MEMORY_BYTES = 2**30  # address space; what is resident stays far below
OUTPUT_BYTES = 2**20
RENDERING_SECONDS = 30 * 60
RENDERING_BYTES = 2**29  # of each file; a waveform's samples are the largest

MEASURING_RATE = 8000
SAMPLE_BYTES = 2
# A broken frame now and then is a scratch; more than one in five is not this format, or not worth hearing.
MAX_ERROR_RATE = "0.2"
MAX_PICTURE_PIXELS = 40_000_000

# The shell's ulimit holds from ffmpeg's first instruction; preexec_fn may deadlock a threaded server.
LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec "$@"'

# No decoder for pictures or video: ffmpeg would decode a cover, however large, only to describe it.
AUDIO_DECODERS = (
    "mp3,mp3float,aac,alac,flac,vorbis,opus,"
    # What WAV may hold beside plain samples: its own old codecs, and those of telephones, recorders and radio.
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,pcm_s64be,"
    "pcm_f16le,pcm_f24le,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_dk3,adpcm_ima_dk4,adpcm_ima_oki,adpcm_yamaha,adpcm_ct,adpcm_swf,"
    "g722,g726,g723_1,gsm_ms,truespeech,mp2,mp2float,ac3,atrac3,wmav1,wmav2"
)
PICTURE_DECODERS = "theora,mjpeg,png,gif,webp,bmp,h264,mpeg4,vp8,vp9"

# What MP3 can hold at any of our bitrates; of each list ffmpeg takes what is nearest to the source.
MP3_SHAPE = "aformat=sample_rates=32000|44100|48000:channel_layouts=mono|stereo"
LOUDNESS_SUMMARY = re.compile(rb"\bI: +(-?[\d.]+|-?inf|nan) LUFS.*?\bPeak: +(-?[\d.]+|-?inf|nan) dBFS", re.DOTALL)
SUMMARY_BYTES = 4096

# What joined ranges become, since one stream has one shape.
JOINED_SHAPE = "aformat=sample_rates=48000:channel_layouts=stereo"


class FfmpegError(Exception):
    """ffmpeg refused the file."""


class FfmpegLimitError(FfmpegError):
    """ffmpeg ran into one of our limits, so we don't know what the file holds."""


@dataclass(frozen=True)
class Source:
    """A recording in a file: its demuxer, and the byte ranges that hold it, one after another; none means all."""

    path: str
    demuxer: str
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def inputs(self) -> list[str]:
        """Arguments that open each range as an input of its own."""
        return [argument for address in self._addresses for argument in _input(address, self.demuxer)]

    @property
    def _addresses(self) -> list[str]:
        whole = [f"file:{self.path}"]
        return [f"subfile,,start,{start},end,{end},,:file:{self.path}" for start, end in self.ranges] or whole

    @property
    def sound(self) -> tuple[list[str], str]:
        """The filters that join the ranges, and the name of what comes out."""
        if len(self.ranges) < 2:
            return [], "0:a:0"
        names = [f"range{number}" for number in range(len(self.ranges))]
        shaped = [f"[{number}:a:0]{JOINED_SHAPE}[{name}]" for number, name in enumerate(names)]
        return [*shaped, f"{''.join(f'[{name}]' for name in names)}concat=n={len(names)}:v=0:a=1[joined]"], "[joined]"

    def apart(self) -> list["Source"]:
        return [Source(self.path, self.demuxer, (part,)) for part in self.ranges] or [self]


@dataclass(frozen=True)
class Packets:
    """What encoded audio takes, without tags and pictures."""

    seconds: float
    bytes: int


def decoded_seconds(source: Source, *, longest: float, strict: bool = False) -> float:
    """Return the length that really decodes, up to `longest`; `strict` ends at the first damage."""
    filters, sound = source.sound
    progress = _run(
        *(["-xerror"] if strict else ["-max_error_rate", MAX_ERROR_RATE]),
        *source.inputs,
        *(["-filter_complex", ";".join(filters)] if filters else []),
        *("-map", sound, "-t", f"{longest:.3f}", "-ac", "1", "-ar", str(MEASURING_RATE), "-f", "s16le"),
        *("-progress", "pipe:1", os.devnull),
        seconds=DECODE_SECONDS,
    )
    return _bytes_written(progress) / (MEASURING_RATE * SAMPLE_BYTES)


def measure_packets(source: Source, *, longest: float) -> Packets:
    """Measure without decoding, up to `longest` seconds of each range."""
    seconds, size = 0.0, 0
    for part in source.apart():
        copy = ("-map", "0:a:0", "-t", f"{longest:.3f}", "-c", "copy", "-f", "data", "-progress", "pipe:1", os.devnull)
        progress = _run(*part.inputs, *copy)
        seconds += _last_number(rb"out_time_us", progress) / 1_000_000
        size += _bytes_written(progress)
    return Packets(seconds, size)


def count_video_frames(source: Source) -> int:
    """Return the frames of the longest video stream, two for any number above one; cover art does not count.

    Raises FfmpegLimitError.
    """
    try:
        listed = _run(*source.inputs, "-map", "0:V", "-frames:v", "2", "-c", "copy", "-f", "framecrc", "pipe:1")
    except FfmpegLimitError:
        raise
    except FfmpegError:  # there is none
        return 0
    streams = re.findall(rb"^(\d+),", listed, re.MULTILINE)
    return max(map(streams.count, streams), default=0)


def video_frame(source: Source, *, max_bytes: int) -> bytes:
    """Return the first frame of the video: as it is if it is a picture already, else as JPEG.

    Raises FfmpegError.
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
    """Decode a recording in `upload` once for all that is made of it; return its loudness in LUFS and peak in dBTP.

    `mp3s` are files to fill by their kbps; `samples` gets 16-bit mono at MEASURING_RATE. Both numbers are as EBU R 128
    has them; silence has -70 LUFS and a peak of -inf.
    """
    names = [f"mp3_{kbps}" for kbps in mp3s]
    branches = "".join(f"[to_{name}]" for name in names)
    joining, sound = source.sound
    graph = [
        *joining,
        f"[{sound.strip('[]')}]asplit={len(names) + 2}[to_measure][to_sample]{branches}",
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


def _input(address: str, demuxer: str) -> list[str]:
    decoding = ["-threads", "1", "-codec_whitelist", AUDIO_DECODERS]
    return ["-protocol_whitelist", "file,subfile", *decoding, "-f", demuxer, "-i", address]


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
                timeout=seconds * WAITING_FACTOR,
                # Nothing that ffmpeg parses has any business with our keys.
                env={},
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
    return _last_number(rb"total_size", progress)


def _last_number(name: bytes, progress: bytes) -> int:
    numbers = re.findall(rb"^%b=(\d+)$" % name, progress, re.MULTILINE)
    return int(numbers[-1]) if numbers else 0
