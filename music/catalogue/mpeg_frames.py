"""Search for the first frames of MP3 and ADTS AAC in a file that may begin with anything else."""

import re
from typing import NamedTuple

SEARCHED_BYTES = 2**20
LONGEST_FRAME = 2**13
# A sync word occurs by chance in any data. Several frames with the same parameters, each beginning where the previous
# one ends, do not. At the very start fewer are sufficient.
FRAMES_AT_START = 3
FRAMES_FOUND = 4
WINDOW_BYTES = SEARCHED_BYTES + FRAMES_FOUND * LONGEST_FRAME

# The first two bytes of an MPEG layer III frame (versions 1, 2 and 2.5) or of an ADTS frame.
SYNC = re.compile(rb"\xff(?:[\xe2\xe3\xf2\xf3\xfa\xfb]|[\xf0\xf1\xf8\xf9])", re.DOTALL)

# ISO 11172-3 and 13818-3, layer III: kbps by index, and the sample rates of MPEG 1, of which MPEG 2 has the half and
# MPEG 2.5 a quarter. The index 0 ("free" bit rate) is not supported.
MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
MPEG1_RATES = (44100, 48000, 32000)
RATE_DIVISORS = {0b11: 1, 0b10: 2, 0b00: 4}


class Frame(NamedTuple):
    format: str
    size: int  # bytes, header included
    parameters: tuple[int, ...]  # the same in each frame of a stream


class FrameRun(NamedTuple):
    format: str
    start: int  # offset of the first frame


def find_frames(window: bytes) -> FrameRun | None:
    """Return the format and offset of the first run of frames in the first megabyte of `window`."""
    if run := _run_at(window, 0, FRAMES_AT_START):
        return run
    for sync in SYNC.finditer(window, 0, SEARCHED_BYTES):
        if run := _run_at(window, sync.start(), FRAMES_FOUND):
            return run
    return None


def _run_at(window: bytes, start: int, frames: int) -> FrameRun | None:
    first = frame = read_frame(window, start)
    position = start
    for _ in range(frames - 1):
        if frame is None:
            return None
        position += frame.size
        frame = read_frame(window, position)
        if frame and first and (frame.format, frame.parameters) != (first.format, first.parameters):
            return None
    return FrameRun(frame.format, start) if frame else None


def read_frame(window: bytes, start: int) -> Frame | None:
    """Read the header at `start`; None if there is none."""
    header = window[start : start + 7]
    return (_mp3_frame(header) or _adts_frame(header)) if len(header) == 7 else None


def _mp3_frame(header: bytes) -> Frame | None:
    # Sync word (11 bits), version (2), layer (2), CRC (1), bit rate (4), sample rate (2), padding (1) …
    bits = int.from_bytes(header[:4])
    version, layer = bits >> 19 & 0b11, bits >> 17 & 0b11
    rate_index = bits >> 10 & 0b11
    if bits >> 21 != 0x7FF or layer != 0b01 or version not in RATE_DIVISORS or rate_index == 0b11:
        return None
    kbps = (MPEG1_KBPS if version == 0b11 else MPEG2_KBPS)[bits >> 12 & 0b1111]
    if not kbps:
        return None
    # A frame has 1152 samples in MPEG 1 and 576 in MPEG 2 and 2.5; an eighth of that makes bits to bytes.
    samples_per_byte = 144 if version == 0b11 else 72
    rate = MPEG1_RATES[rate_index] // RATE_DIVISORS[version]
    return Frame("mp3", samples_per_byte * kbps * 1000 // rate + (bits >> 9 & 1), (version, rate_index))


def _adts_frame(header: bytes) -> Frame | None:
    # ISO 13818-7, section 6.2.
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate_index = header[2] >> 2 & 0b1111
    size = (header[3] & 0b11) << 11 | header[4] << 3 | header[5] >> 5
    if rate_index > 12 or size <= 7:
        return None
    return Frame("aac", size, (header[1] >> 3 & 1, header[2] >> 6, rate_index))
