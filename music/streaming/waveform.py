"""Waveforms: the peaks of a recording as a thousand numbers, for players to draw."""

import os
from array import array
from typing import IO

POINTS = 1000
SAMPLE_BYTES = 2
FULL_SCALE = 2**15


def waveform_of(samples: IO[bytes]) -> bytes:
    """Return the peak of each thousandth of 16-bit mono samples as a byte; 255 is full scale."""
    number = samples.seek(0, os.SEEK_END) // SAMPLE_BYTES
    return bytes(_loudest(samples, point * number // POINTS, (point + 1) * number // POINTS) for point in range(POINTS))


def points_of(waveform: bytes) -> list[float]:
    """Return the peaks as numbers from 0 to 1."""
    return [round(value / 255, 3) for value in bytes(waveform)]


def _loudest(samples: IO[bytes], start: int, end: int) -> int:
    samples.seek(start * SAMPLE_BYTES)
    # At least one sample, since a recording of fewer than a thousand has points without any.
    part = array("h", samples.read(max(end - start, 1) * SAMPLE_BYTES))
    if not part:
        return 0
    return min(round(max(max(part), -min(part)) / FULL_SCALE * 255), 255)
