"""Readers of the tag formats: ID3, APEv2, Vorbis comments, MP4 atoms and RIFF's INFO.

They return raw texts and pictures; tags.py chooses and cleans the values. Each reader takes what it can from broken
tags, reads a limited number of bytes, and returns the values in the file's order under names in lower case.
"""

import base64
import binascii
import re
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from mutagen.id3 import TCON

MAX_TAG_BYTES = 24 * 2**20
MAX_TEXT_BYTES = 2**16
MAX_ITEMS = 10_000
FRONT_COVER, OTHER_PICTURE = 3, 0
GENRES: list[str] = TCON.GENRES
ID3_GENRES = {"RX": "Remix", "CR": "Cover"}
GENRE_REFERENCES = re.compile(r"(?:\((?:[0-9]{1,3}|RX|CR)\))+")
ID3_NAMES = {
    **{"TIT2": "title", "TT2": "title", "TPE1": "artist", "TP1": "artist", "TALB": "album", "TAL": "album"},
    **{"TRCK": "track", "TRK": "track", "TPOS": "disc", "TPA": "disc"},
    **{"TDRC": "date", "TYER": "year", "TYE": "year", "TDAT": "day and month", "TDA": "day and month"},
    **{
        "TCOP": "copyright",
        "TCR": "copyright",
        "TDRL": "releasedate",
        "TDOR": "originaldate",
        "TORY": "originalyear",
        "TOR": "originalyear",
    },
}
MP4_NAMES = {
    **{b"\xa9nam": "title", b"\xa9ART": "artist", b"\xa9alb": "album", b"\xa9gen": "genre", b"\xa9day": "date"},
    **{b"trkn": "track", b"disk": "disc", b"gnre": "genre", b"rtng": "rtng", b"cprt": "copyright"},
}
INFO_NAMES = {
    **{b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"IGNR": "genre", b"ICRD": "date"},
    **{b"ICOP": "copyright", b"ITRK": "track", b"IPRT": "track", b"IDIT": "date", b"TRCK": "track", b"YEAR": "year"},
}
WAVE_CHUNKS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}


@dataclass(frozen=True)
class Picture:
    kind: int  # number from ID3 and FLAC: 3 is the front cover, 1 and 2 are icons
    data: bytes


@dataclass
class RawTags:
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    pictures: list[Picture] = field(default_factory=list)


def decode_old_text(raw: bytes) -> str:
    """Decode text that is Latin-1 by its format. Often it is UTF-8 in fact, and else Windows-1252."""
    raw = raw[:MAX_TEXT_BYTES]
    with suppress(UnicodeDecodeError):
        return raw.decode()
    return raw.decode("cp1252", errors="ignore")


# ID3v2


def read_id3v2(tag: bytes) -> RawTags:
    """Read an ID3v2 tag of any version, header included, up to the first bytes that are not a frame."""
    raw = RawTags()
    version, flags = tag[3], tag[5]
    body = tag[10:]
    if version < 4 and flags & 0x80:
        # Unsynchronisation: the writer put a zero behind each 0xFF, so that nothing looks like an MP3 frame.
        body = body.replace(b"\xff\x00", b"\xff")
    if version > 2 and flags & 0x40 and len(body) >= 4:
        # Skip the extended header, whose size in version 2.3 does not include the four bytes of the size.
        body = body[syncsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4]) :]
    for name, content in _id3_frames(body, version):
        with suppress(ValueError, IndexError, zlib.error):
            _read_id3_frame(raw, name, content)
    return raw


def syncsafe(size: bytes) -> int:
    """Decode a size of four bytes with seven bits each, the ID3v2 format in which no byte looks like a sync word."""
    return size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]


def _id3_frames(body: bytes, version: int) -> Iterator[tuple[str, bytes]]:
    head = 6 if version == 2 else 10
    # The budget limits what compressed frames unpack to, all together.
    position, budget = 0, MAX_TAG_BYTES
    for _ in range(MAX_ITEMS):
        if position + head >= len(body) or budget <= 0:
            return
        name = body[position : position + head - (3 if version == 2 else 6)]
        if not (name.isalnum() and name.isupper()):
            return
        size = _id3_frame_size(body, position, version)
        content = body[position + head : position + head + size]
        if version > 2:
            content = _plain_frame(content, version, int.from_bytes(body[position + 8 : position + 10]), budget)
        budget -= len(content)
        yield name.decode("ascii"), content
        position += head + size


def _id3_frame_size(body: bytes, position: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(body[position + 3 : position + 6])
    stated = body[position + 4 : position + 8]
    size = int.from_bytes(stated)
    if version == 3 or max(stated) > 0x7F:
        return size
    # Old versions of iTunes wrote plain sizes into version 2.4. Take the one that leads to another frame or the end.
    if syncsafe(stated) != size and not _frame_may_start(body, position + 10 + syncsafe(stated)):
        return size if _frame_may_start(body, position + 10 + size) else syncsafe(stated)
    return syncsafe(stated)


def _frame_may_start(body: bytes, position: int) -> bool:
    name = body[position : position + 4]
    return position <= len(body) and (not name.strip(b"\0") or (name.isalnum() and name.isupper()))


def _plain_frame(content: bytes, version: int, flags: int, longest: int) -> bytes:
    """Return a frame's content without compression (up to `longest` bytes) and unsynchronisation.

    Encrypted and damaged frames become empty.
    """
    if version == 3:
        is_compressed, is_encrypted = flags & 0x80, flags & 0x40
        prefix = (4 if is_compressed else 0) + (1 if flags & 0x20 else 0)
    else:
        is_compressed, is_encrypted = flags & 0x08, flags & 0x04
        prefix = (4 if flags & 0x01 else 0) + (1 if flags & 0x40 else 0)
    if is_encrypted:
        return b""
    content = content[prefix:]
    if version == 4 and flags & 0x02:
        content = content.replace(b"\xff\x00", b"\xff")
    if is_compressed:
        with suppress(zlib.error):
            return zlib.decompressobj().decompress(content, longest)
        return b""
    return content


def _read_id3_frame(raw: RawTags, name: str, content: bytes) -> None:
    if name in ("APIC", "PIC"):
        raw.pictures.append(_id3_picture(name, content))
    elif name in ("TXXX", "TXX"):
        label, *values = _id3_texts(content)
        raw.texts[label.strip().lower()] += values
    elif name in ("TCON", "TCO"):
        raw.texts["genre"] += [genre for text in _id3_texts(content) for genre in _id3_genres(text)]
    elif name in ID3_NAMES:
        raw.texts[ID3_NAMES[name]] += _id3_texts(content)


def _id3_texts(content: bytes) -> list[str]:
    encoding, text = content[0], content[1 : MAX_TEXT_BYTES + 1]
    if encoding == 0:
        return [decode_old_text(part) for part in text.split(b"\0")]
    if encoding == 3:
        return text.decode(errors="ignore").split("\0")
    return _decode_utf16(text, big=encoding == 2).split("\0")


def _id3_genres(text: str) -> list[str]:
    """Return the names that a text such as "17", "(17)", "(51)(39)", "(4)Eurodisco" or "80s" stands for."""
    references = GENRE_REFERENCES.match(text)
    listed = re.findall(r"\(([0-9]+|RX|CR)\)", references[0]) if references else []
    own = text[references.end() if references else 0 :].replace("((", "(", 1).strip()
    if (own.isascii() and own.isdecimal()) or own in ID3_GENRES:
        listed, own = [*listed, own], ""
    names = [_genre_name(reference) for reference in listed]
    return [own, *names] if own else names


def _genre_name(reference: str) -> str:
    number = int(reference) if reference.isdecimal() else -1
    return GENRES[number] if 0 <= number < len(GENRES) else ID3_GENRES.get(reference, "")


def _decode_utf16(text: bytes, *, big: bool) -> str:
    text = text[: len(text) & ~1]
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        big = text.startswith(b"\xfe\xff")
    elif text and not big:
        # Without a byte order mark: the half with less variety are the high bytes, which are zero in Latin text and few
        # different ones in other scripts.
        big = _variety(text[0::2]) < _variety(text[1::2])
    return text.decode("utf-16-be" if big else "utf-16-le", errors="replace").replace("\ufeff", "")


def _variety(half: bytes) -> tuple[int, int]:
    """Return how many different bytes there are, zero excluded, then how many bytes are not zero."""
    return len(set(half.replace(b"\0", b""))), len(half) - half.count(0)


def _id3_picture(name: str, content: bytes) -> Picture:
    encoding = content[0]
    start = 4 if name == "PIC" else content.index(b"\0", 1) + 1
    kind = content[start]
    start += 1
    if encoding in (1, 2):
        while content[start : start + 2] not in (b"\0\0", b""):
            start += 2
        return Picture(kind, content[start + 2 :])
    return Picture(kind, content[content.index(b"\0", start) + 1 :])


# ID3v1, at the end of a file, and APEv2, at the start or end


def read_id3v1(tag: bytes) -> RawTags:
    raw = RawTags()
    fields = {"title": tag[3:33], "artist": tag[33:63], "album": tag[63:93], "year": tag[93:97]}
    for name, text in fields.items():
        raw.texts[name] = [decode_old_text(text.partition(b"\0")[0])]
    if tag[125] == 0 and tag[126]:
        raw.texts["track"] = [str(tag[126])]
    if tag[127] < len(GENRES):
        raw.texts["genre"] = [GENRES[tag[127]]]
    return raw


def read_apev2(items: bytes) -> RawTags:
    """Read the items of an APEv2 tag, without its header and footer."""
    raw = RawTags()
    position = 0
    for _ in range(MAX_ITEMS):
        if position + 8 >= len(items):
            break
        size, flags = struct.unpack_from("<II", items, position)
        end = items.find(b"\0", position + 8, position + 8 + 256)
        if end < 0:
            break
        name = items[position + 8 : end].decode("ascii", errors="ignore").lower()
        value = items[end + 1 : end + 1 + size]
        position = end + 1 + size
        if name.startswith("cover art"):
            kind = FRONT_COVER if "front" in name else OTHER_PICTURE
            raw.pictures.append(Picture(kind, value.partition(b"\0")[2]))
        elif flags & 0b110 == 0:
            raw.texts[name] += [decode_old_text(part) for part in value.split(b"\0")]
    return raw


# Vorbis comments, in Ogg and FLAC


def read_vorbis_comment(packet: bytes) -> RawTags:
    raw = RawTags()
    with suppress(struct.error):
        (vendor,) = struct.unpack_from("<I", packet)
        (count,) = struct.unpack_from("<I", packet, 4 + vendor)
        position = 8 + vendor
        for _ in range(min(count, MAX_ITEMS)):
            (size,) = struct.unpack_from("<I", packet, position)
            _read_comment(raw, packet[position + 4 : position + 4 + size])
            position += 4 + size
    return raw


def _read_comment(raw: RawTags, comment: bytes) -> None:
    name_bytes, _, value = comment.partition(b"=")
    name = name_bytes.decode("ascii", errors="ignore").lower()
    if name in ("metadata_block_picture", "coverart"):
        with suppress(binascii.Error, struct.error):
            decoded = base64.b64decode(value)
            is_block = name == "metadata_block_picture"
            raw.pictures.append(read_flac_picture(decoded) if is_block else Picture(OTHER_PICTURE, decoded))
    else:
        raw.texts[name].append(decode_old_text(value))


def read_flac_picture(block: bytes) -> Picture:
    """Read a PICTURE block of FLAC (RFC 9639, section 8.8). Raise struct.error if it is cut off."""
    kind, mime_size = struct.unpack_from(">II", block)
    (text_size,) = struct.unpack_from(">I", block, 8 + mime_size)
    start = 8 + mime_size + 4 + text_size + 16
    (size,) = struct.unpack_from(">I", block, start)
    return Picture(kind, block[start + 4 : start + 4 + size])


def read_flac(file: BinaryIO, start: int) -> RawTags:
    raw = RawTags()
    position, is_last, budget = start + 4, False, MAX_TAG_BYTES
    while not is_last and budget > 0:
        file.seek(position)
        header = file.read(4)
        if len(header) < 4:
            break
        is_last, kind, size = bool(header[0] & 0x80), header[0] & 0x7F, int.from_bytes(header[1:])
        if kind == 4:
            comment = read_vorbis_comment(file.read(size))
            raw.texts.update(comment.texts)
            raw.pictures += comment.pictures
        elif kind == 6:
            with suppress(struct.error):
                raw.pictures.append(read_flac_picture(file.read(size)))
        budget -= size + 4
        position += size + 4
    return raw


# MP4


def read_mp4(file: BinaryIO, start: int) -> RawTags:
    raw = RawTags()
    file.seek(0, 2)
    for atom, position, end in _atoms(file, start, file.tell(), MAX_ITEMS):
        if atom == b"moov":
            for path in ([b"udta", b"meta", b"ilst"], [b"meta", b"ilst"]):
                for ilst in _descend(file, position, end, path):
                    _read_ilst(raw, file, *ilst)
    return raw


def _atoms(file: BinaryIO, position: int, end: int, limit: int = 1000) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the content of each MP4 atom between `position` and `end`."""
    for _ in range(limit):
        if position + 8 > end:
            return
        file.seek(position)
        header = file.read(16)
        size, name, head = int.from_bytes(header[:4]), header[4:8], 8
        if size == 1:
            size, head = int.from_bytes(header[8:16]), 16
        elif size == 0:
            size = end - position
        if size < head:
            return
        yield name, position + head, min(position + size, end)
        position += size


def _descend(file: BinaryIO, position: int, end: int, path: list[bytes]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the content of the atoms at a path of names."""
    if not path:
        yield position, end
        return
    for atom, inner, inner_end in _atoms(file, position, end):
        if atom == path[0]:
            if atom == b"meta":
                file.seek(inner + 4)
                # In ISO files four bytes of version and flags precede the atoms within "meta", in QuickTime files not.
                inner += 0 if file.read(4) == b"hdlr" else 4
            yield from _descend(file, inner, inner_end, path[1:])


def _read_ilst(raw: RawTags, file: BinaryIO, position: int, end: int) -> None:
    budget = MAX_TAG_BYTES
    for item, inner, inner_end in _atoms(file, position, end):
        budget -= inner_end - inner
        if budget < 0:
            return
        parts: dict[bytes, list[bytes]] = defaultdict(list)
        for part, start, stop in _atoms(file, inner, inner_end):
            file.seek(start)
            parts[part].append(file.read(stop - start))
        # Data begins with four bytes of type and four of locale, names with four of version and flags.
        values = [data[8:] for data in parts[b"data"]]
        if item == b"covr":
            raw.pictures += [Picture(FRONT_COVER, value) for value in values]
        elif item == b"----" and parts[b"name"]:
            name = parts[b"name"][0][4:].decode(errors="ignore").lower()
            # Types 0x15 and 0x16 are integers.
            integers = (b"\0\0\0\x15", b"\0\0\0\x16")
            raw.texts[name] += [
                str(int.from_bytes(data[8:])) if data[:4] in integers else decode_old_text(data[8:])
                for data in parts[b"data"]
            ]
        elif item in MP4_NAMES:
            raw.texts[MP4_NAMES[item]] += [_mp4_text(item, value) for value in values]


def _mp4_text(item: bytes, value: bytes) -> str:
    if item in (b"trkn", b"disk"):
        return str(int.from_bytes(value[2:4]))
    if item == b"rtng":
        return str(int.from_bytes(value))
    if item == b"gnre":
        number = int.from_bytes(value) - 1
        return GENRES[number] if 0 <= number < len(GENRES) else ""
    return decode_old_text(value)


# WAV


def read_wave(file: BinaryIO, start: int) -> tuple[RawTags, bytes]:
    """Return the INFO tags of a WAV, and the bytes of the ID3v2 tag in it, empty if there is none."""
    raw, id3 = RawTags(), b""
    file.seek(start)
    order = WAVE_CHUNKS.get(file.read(12)[:4], "<")
    position, long_data = start + 12, 0
    for _ in range(MAX_ITEMS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        name = header[:4]
        (size,) = struct.unpack(f"{order}I", header[4:])
        if name == b"ds64":
            long_data = int.from_bytes(file.read(16)[8:], "little")
        elif name == b"LIST" and file.read(4) == b"INFO":
            _read_info(raw, file.read(min(size - 4, MAX_TAG_BYTES)) if size > 4 else b"", order)
        elif name in (b"id3 ", b"ID3 "):
            file.seek(position + 8)
            id3 = file.read(min(size, MAX_TAG_BYTES))
        elif name == b"data" and size == 2**32 - 1:
            # RF64 and BW64 have the size of the samples, which may exceed 32 bits, in the chunk ds64.
            size = long_data
        position += 8 + size + (size & 1)
    return raw, id3 if id3.startswith(b"ID3") and len(id3) > 10 else b""


def _read_info(raw: RawTags, info: bytes, order: str) -> None:
    position = 0
    for _ in range(MAX_ITEMS):
        if position + 8 > len(info):
            return
        (size,) = struct.unpack_from(f"{order}I", info, position + 4)
        name = INFO_NAMES.get(info[position : position + 4])
        value = info[position + 8 : position + 8 + size].partition(b"\0")[0]
        if name:
            raw.texts[name].append(decode_old_text(value))
        position += 8 + size + (size & 1)
