"""Reader of Ogg pages (RFC 3533): the links of a chained file, and the comment packet of a stream."""

from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO, NamedTuple

MAX_LINKS = 16
MAX_PAGES = 500_000
MAX_COMMENT_BYTES = 24 * 2**20
FIRST_PAGE = 0b010


class Page(NamedTuple):
    start: int
    flags: int
    serial: bytes  # identifies the stream
    lacing: bytes  # sizes of the segments; a packet ends with a segment of less than 255 bytes
    size: int  # header included

    @property
    def header_size(self) -> int:
        return 27 + len(self.lacing)


class Link(NamedTuple):
    """A complete Ogg file in a chain of such files, or several in a row that have the same parameters."""

    start: int
    end: int
    parameters: bytes  # codec, channels and sample rate, in the codec's own bytes


def read_pages(file: BinaryIO, start: int = 0) -> Iterator[Page]:
    """Yield the pages from `start` on, up to the first bytes that are not a page."""
    for _ in range(MAX_PAGES):
        file.seek(start)
        header = file.read(27)
        if len(header) < 27 or not header.startswith(b"OggS"):
            return
        lacing = file.read(header[26])
        page = Page(start, header[5], header[14:18], lacing, 27 + len(lacing) + sum(lacing))
        yield page
        start += page.size


def differing_links(file: BinaryIO, start: int) -> list[Link]:
    """Return the links of a chained file if their parameters differ, else an empty list.

    ffmpeg decodes a chain in one go only if codec, channels and sample rate stay the same.
    """
    links: list[Link] = []
    is_header = False
    end = start
    for page in read_pages(file, start):
        was_header, is_header = is_header, bool(page.flags & FIRST_PAGE)
        end = page.start + page.size
        if not is_header:
            continue
        parameters = _audio_parameters(_body(file, page))
        if not was_header:
            links.append(Link(page.start, 0, parameters))
        elif not links[-1].parameters:  # the link's first stream is video
            links[-1] = links[-1]._replace(parameters=parameters)
    merged = [next(group) for _, group in groupby(links, key=lambda link: link.parameters)]
    if len(merged) < 2:
        return []
    ends = [*(link.start for link in merged[1:]), end]
    return [link._replace(end=end) for link, end in zip(merged, ends, strict=True)]


def _body(file: BinaryIO, page: Page) -> bytes:
    file.seek(page.start + page.header_size)
    return file.read(page.size - page.header_size)


def _audio_parameters(packet: bytes) -> bytes:
    """Return codec, channels and sample rate from the first packet of a stream; empty if it is not audio."""
    if packet.startswith(b"\x01vorbis"):
        return b"vorbis" + packet[11:16]
    if packet.startswith(b"OpusHead"):
        return b"opus" + packet[9:10]
    if packet.startswith(b"\x7fFLAC"):
        # Without the last bit, which belongs to the sample size.
        return b"flac" + packet[27:30] + bytes([packet[30] & 0b1111_1110]) if len(packet) > 30 else b"flac"
    return b""


def read_comments(file: BinaryIO, start: int) -> bytes:
    """Return the Vorbis comment of the first audio stream without the packet's signature; empty if there is none.

    The comment is the second packet of the stream and may span several pages.
    """
    serial = None
    packet = bytearray()
    for page in read_pages(file, start):
        if page.flags & FIRST_PAGE:
            if serial is None and _audio_parameters(_body(file, page)):
                serial = page.serial
            continue
        if page.serial != serial:
            continue
        body = _body(file, page)
        ends = _first_packet_size(page.lacing)
        packet += body[:ends]
        if ends < len(body) or page.lacing[-1:] != b"\xff" or len(packet) > MAX_COMMENT_BYTES:
            break
    if packet.startswith(b"\x03vorbis"):
        return bytes(packet[7:])
    if packet.startswith(b"OpusTags"):
        return bytes(packet[8:])
    return bytes(packet[4:]) if packet[:1] in (b"\x04", b"\x84") else b""


def _first_packet_size(lacing: bytes) -> int:
    size = 0
    for length in lacing:
        size += length
        if length < 255:
            break
    return size
