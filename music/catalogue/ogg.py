"""Read the pages of an Ogg file: its chained links, and the packets at the start of a stream."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_LINKS = 16
MAX_PAGES = 500_000
MAX_COMMENT_BYTES = 24 * 2**20
FIRST_PAGE = 0b010


class Page(NamedTuple):
    start: int
    flags: int
    serial: bytes
    lacing: bytes
    size: int

    @property
    def header_size(self) -> int:
        return 27 + len(self.lacing)


class Link(NamedTuple):
    start: int
    end: int
    parameters: bytes  # codec, channels and sample rate


def read_pages(file: BinaryIO, start: int = 0) -> Iterator[Page]:
    """Yield pages as long as each begins where the last one ends."""
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
    """Return the links of a chained file, those in a row with the same parameters as one; none if all are alike."""
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
        elif not links[-1].parameters:  # a picture's stream came first
            links[-1] = links[-1]._replace(parameters=parameters)
    return _merged(links, end)


def _merged(links: list[Link], end: int) -> list[Link]:
    merged: list[Link] = []
    for link in links:
        if not merged or merged[-1].parameters != link.parameters:
            merged.append(link)
    ends = [link.start for link in merged[1:]] + [end]
    return [link._replace(end=end) for link, end in zip(merged, ends, strict=True)] if len(merged) > 1 else []


def _body(file: BinaryIO, page: Page) -> bytes:
    file.seek(page.start + page.header_size)
    return file.read(page.size - page.header_size)


def _audio_parameters(packet: bytes) -> bytes:
    if packet.startswith(b"\x01vorbis"):
        return b"vorbis" + packet[11:16]
    if packet.startswith(b"OpusHead"):
        return b"opus" + packet[9:10]
    if packet.startswith(b"\x7fFLAC"):
        return b"flac" + packet[27:30] + bytes([packet[30] & 0b1111_1110]) if len(packet) > 30 else b"flac"
    return b""


def read_comments(file: BinaryIO, start: int) -> bytes:
    """Return the Vorbis comment of the first audio stream, without its packet's signature."""
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
