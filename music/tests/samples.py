"""Small recordings and pictures, encoded once for each test run."""

import base64
import io
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCON, TDRC, TIT2, TPE1, TRCK
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from PIL import Image

AUDIO_FORMATS = ("mp3", "wav", "m4a", "flac", "ogg", "aac")
ENCODERS = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "64k"),
    "wav": ("-c:a", "pcm_s16le", "-f", "wav"),
    "m4a": ("-c:a", "aac", "-b:a", "64k", "-f", "mp4"),
    "flac": ("-c:a", "flac"),
    "ogg": ("-c:a", "libvorbis", "-f", "ogg"),
    "aac": ("-c:a", "aac", "-b:a", "64k", "-f", "adts"),
}


@cache
def audio_sample(
    format: str,
    seconds: float = 2,
    *,
    title: str | None = "Low Tide",
    artist: str | None = "Ana Brook",
    album: str | None = "Harbour Songs",
    genre: str | None = "Folk",
    track_number: str | None = "3/12",
    date: str | None = "2019-05-17",
    cover: bytes | None = None,
) -> bytes:
    """Return a tone of that many seconds with tags; a tag that is None is left out."""
    tags = {
        "title": title,
        "artist": artist,
        "album": album,
        "genre": genre,
        "track": track_number,
        "date": date,
    }
    return _tagged(tone(format, seconds), format, {key: text for key, text in tags.items() if text}, cover)


@cache
def tone(format: str, seconds: float = 2) -> bytes:
    source = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=22050:duration={seconds}")
    return encoded(*source, *ENCODERS[format], suffix=format)


def encoded(*arguments: str, suffix: str) -> bytes:
    """Return the file that ffmpeg writes when called with these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, f"sample.{suffix}")
        command = [get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-bitexact", *arguments, str(target)]
        subprocess.run(command, check=True)
        return target.read_bytes()


@cache
def image_sample(format: str = "JPEG", size: tuple[int, int] = (64, 64), mode: str = "RGB") -> bytes:
    return saved(Image.linear_gradient("L").resize(size).convert(mode), format)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _tagged(audio: bytes, format: str, tags: dict[str, str], cover: bytes | None) -> bytes:
    write_tags = {"m4a": _mp4_tags, "flac": _flac_tags, "ogg": _vorbis_tags, "wav": _wav_tags}
    file = io.BytesIO(audio)
    write_tags.get(format, _id3_tags)(file, tags, cover)
    return file.getvalue()


def _id3_frames(tags: dict[str, str], cover: bytes | None) -> list:
    frames = {"title": TIT2, "artist": TPE1, "album": TALB, "genre": TCON, "track": TRCK, "date": TDRC}
    made = [frames[key](encoding=3, text=[text]) for key, text in tags.items()]
    if cover:
        made.append(APIC(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=cover))
    return made


def _id3_tags(file: io.BytesIO, tags: dict[str, str], cover: bytes | None) -> None:
    id3 = ID3()
    for frame in _id3_frames(tags, cover):
        id3.add(frame)
    id3.save(file)


def _wav_tags(file: io.BytesIO, tags: dict[str, str], cover: bytes | None) -> None:
    wav = WAVE(file)
    wav.add_tags()
    for frame in _id3_frames(tags, cover):
        wav.tags.add(frame)
    file.seek(0)
    wav.save(file)


def _mp4_tags(file: io.BytesIO, tags: dict[str, str], cover: bytes | None) -> None:
    atoms = {"title": "©nam", "artist": "©ART", "album": "©alb", "genre": "©gen", "date": "©day"}
    mp4 = MP4(file)
    mp4.update({atoms[key]: [text] for key, text in tags.items() if key in atoms})
    if "track" in tags:
        number, _, total = tags["track"].partition("/")
        mp4["trkn"] = [(int(number), int(total or 0))]
    if cover:
        mp4["covr"] = [MP4Cover(cover, imageformat=MP4Cover.FORMAT_JPEG)]
    file.seek(0)
    mp4.save(file)


def _vorbis_comments(tags: dict[str, str]) -> dict[str, str]:
    return {"tracknumber" if key == "track" else key: text for key, text in tags.items()}


def _flac_tags(file: io.BytesIO, tags: dict[str, str], cover: bytes | None) -> None:
    flac = FLAC(file)
    flac.update(_vorbis_comments(tags))
    if cover:
        flac.add_picture(_picture(cover))
    file.seek(0)
    flac.save(file)


def _vorbis_tags(file: io.BytesIO, tags: dict[str, str], cover: bytes | None) -> None:
    ogg = OggVorbis(file)
    ogg.update(_vorbis_comments(tags))
    if cover:
        ogg["metadata_block_picture"] = [base64.b64encode(_picture(cover).write()).decode()]
    file.seek(0)
    ogg.save(file)


def _picture(cover: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", cover
    return picture
