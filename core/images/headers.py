"""Checks of a picture before it is decoded, by its header and its structure.

Pillow parses every part of a file, in Python and on one thread: a crafted file of 10 MB can keep it busy for hours.
"""

import re

from django.core.exceptions import ValidationError

MAX_PIXELS = 40_000_000
MAX_SIDE = 20_000
# Encoders stay far below these: about 10 scans, a few dozen segments, pixels in chunks of 8 KB.
MAX_SCANS = 64
MAX_SEGMENTS = 2_000
MAX_DATA_CHUNKS = 20_000
MAX_JUNK_BYTES = 2**16

# FF and a marker's byte. FF00 and FFD0 to FFD7 are part of the pixel data, FFFF is padding.
JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
JPEG_SCAN, JPEG_END = 0xDA, 0xD9
JPEG_WITHOUT_LENGTH = {0x01, 0xD8, *range(0xF0, 0xFE)}


def check_size(size: tuple[int, int]) -> None:
    """Raise ValidationError if the width and height in the header are more than we decode."""
    if size[0] * size[1] > MAX_PIXELS:
        raise too_many_pixels()
    if max(size) > MAX_SIDE:
        raise unreadable("This image is wider or higher than 20,000 pixels. Upload a smaller one.")


def check_structure(content: bytes) -> None:
    """Raise ValidationError if a file has so many parts that merely parsing them would take long."""
    if content.startswith(b"\xff\xd8"):
        is_sane = _is_sane_jpeg(content)
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        is_sane = _is_sane_png(content)
    elif content.startswith(b"GIF8"):
        is_sane = _is_sane_gif(content)
    else:  # WebP is parsed by libwebp, in C and fast
        return
    if not is_sane:
        raise unreadable("This image has far more parts than a picture needs. Export it again and upload that.")


def _is_sane_jpeg(content: bytes) -> bool:
    position, scans, junk = 2, 0, 0
    for _ in range(MAX_SEGMENTS):
        marker = JPEG_MARKER.search(content, position)
        if marker is None or content[marker.start() + 1] == JPEG_END:
            return scans > 0 or len(content) - position - junk < MAX_JUNK_BYTES
        if not scans:
            junk += marker.start() - position
        kind = content[marker.start() + 1]
        scans += kind == JPEG_SCAN
        if scans > MAX_SCANS or junk > MAX_JUNK_BYTES:
            return False
        position = marker.end()
        if kind not in JPEG_WITHOUT_LENGTH:
            position += int.from_bytes(content[position : position + 2])
    return False


def _is_sane_png(content: bytes) -> bool:
    position, chunks, pieces = 8, 0, 0
    while position < len(content) and chunks <= MAX_SEGMENTS and pieces <= MAX_DATA_CHUNKS:
        length, kind = int.from_bytes(content[position : position + 4]), content[position + 4 : position + 8]
        if kind == b"IEND":
            return True
        if kind in (b"IDAT", b"fdAT"):
            pieces += 1
        else:
            chunks += 1
        position += length + 12
    return chunks <= MAX_SEGMENTS and pieces <= MAX_DATA_CHUNKS


def _is_sane_gif(content: bytes) -> bool:
    """Check the blocks before the first frame, the only one that is decoded."""
    flags = content[10] if len(content) > 10 else 0
    position = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    end = len(content)
    for _ in range(MAX_DATA_CHUNKS):
        if position >= end or content[position] in b",;":
            return True
        if content[position] != ord("!"):
            position += 1  # Pillow skips it too
            continue
        position += 2
        for _ in range(MAX_DATA_CHUNKS):
            if position >= end or content[position] == 0:
                break
            position += content[position] + 1
        else:
            return False
        position += 1
    return False


def unreadable(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_image")


def too_many_pixels() -> ValidationError:
    return unreadable("This image has more than 40 megapixels. Upload a smaller one.")
