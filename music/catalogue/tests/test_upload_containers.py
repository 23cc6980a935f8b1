"""Unusual files from shops, recorders and old programs are measured and rendered in full."""

import io
import random
import struct

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from music.catalogue.audio import inspect_audio
from music.models import Album, Song
from music.tests.samples import encoded, image_sample, saved, tone
from music.tests.uploads import body_of, code_of, stored_files, upload

CHANCE = random.Random(14)
JUNK = CHANCE.randbytes(300)
APE_TAG = (
    (ape_header := b"APETAGEX" + struct.pack("<IIII8x", 2000, 48, 1, 0xA0000000))
    + struct.pack("<II", 2, 0)
    + b"Title\0Ap"
    + bytes(1)
    + ape_header
)


def id3_tag(*frames: bytes, off_by: int = 0) -> bytes:
    body = b"".join(frames)
    size = bytes(len(body) + off_by >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def id3_frame(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + b"\0\0" + body


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.mark.parametrize(
    "front",
    [
        CHANCE.randbytes(16),
        JUNK,
        bytes(3000),
        b"\xef\xbb\xbf",
        b"\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n",
        APE_TAG[:-1],
        id3_tag(id3_frame(b"TIT2", b"\0Rip")) + JUNK,
        id3_tag(id3_frame(b"TIT2", b"\0Rip"), off_by=-1),
        id3_tag(id3_frame(b"TIT2", b"\0Rip"), off_by=40),
        id3_tag(id3_frame(b"TIT2", b"\0Rip"), off_by=2**27),
        CHANCE.randbytes(2**20 - 100),
    ],
    ids=["16", "junk", "zeros", "bom", "crlf", "http", "ape", "id3-junk", "id3-short", "id3-long", "id3-far", "1mb"],
)
@pytest.mark.parametrize("format", ["mp3", "aac"])
def test_audio_behind_other_bytes_is_accepted_and_rendered(artist_api, render, format, front):
    content = front + tone(format)
    answer = upload(artist_api, content)
    assert answer.status_code == 201, answer.content
    assert answer.json()["duration"] == 2
    song = Song.objects.get()
    assert (song.audio_format, song.bitrate) == (format, pytest.approx(64, abs=6))
    render()
    assert (song.analysis.status, song.analysis.reason) == ("ready", "")
    assert body_of(artist_api.get(f"/api/songs/{song.pk}/stream")) == content


@pytest.mark.parametrize("format", ["mp3", "aac"])
def test_audio_that_starts_within_a_frame_is_accepted(artist_api, format):
    assert upload(artist_api, tone(format)[150:]).json()["duration"] == 2


@pytest.mark.parametrize("format", ["mp3", "aac", "ogg", "flac"])
def test_other_bytes_behind_the_audio_are_harmless(artist_api, format):
    assert upload(artist_api, tone(format) + JUNK + b"PK\x03\x04").json()["duration"] == 2


def test_rendering_begins_where_the_audio_begins(artist_api, render):
    upload(artist_api, JUNK + encoded("-f", "lavfi", "-i", "sine=d=2", "-b:a", "320k", suffix="mp3"))
    render()
    seconds = [inspect_audio(rendition.file).seconds for rendition in Song.objects.get().renditions.all()]
    assert seconds == [pytest.approx(2, abs=0.06)] * 2


@pytest.mark.parametrize(
    "front",
    [
        b"<!DOCTYPE html><p>Hello</p>",
        b"\xef\xbb\xbf\r\n <HTML>",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF\x10\0\0\0AVI LIST",
        b"\0\0\0\x08moov",
        image_sample("PNG"),
        id3_tag() + b"<script>",
    ],
)
def test_another_file_in_front_of_the_audio_is_refused(artist_api, front):
    assert code_of(upload(artist_api, front + tone("mp3", 3))) == ("invalid_audio", "audio_file")
    assert stored_files() == set()


def test_accidental_sync_words_are_not_taken_for_audio(artist_api):
    content = b"".join(b"\xff\xfb\x90\x00" + CHANCE.randbytes(100) for _ in range(12_000))
    assert code_of(upload(artist_api, content)) == ("invalid_audio", "audio_file")


def wave(kind: bytes, data: bytes, *, order: str = "<") -> bytes:
    is_long = kind in (b"RF64", b"BW64")
    size = 2**32 - 1 if is_long else len(data)
    chunks = b"WAVE"
    if is_long:
        chunks += b"ds64" + struct.pack("<IQQQI", 28, len(data) + 80, len(data), len(data) // 2, 0)
    chunks += b"fmt " + struct.pack(f"{order}IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    chunks += b"data" + struct.pack(f"{order}I", size) + data
    return kind + struct.pack(f"{order}I", size if is_long else len(chunks)) + chunks


@pytest.mark.parametrize(
    "content",
    [
        wave(b"RF64", bytes(32000)),
        wave(b"BW64", bytes(32000)),
        wave(b"RIFX", bytes(32000), order=">"),
        *(
            encoded("-f", "lavfi", "-i", "sine=sample_rate=8000:d=2", "-c:a", codec, suffix="wav")
            for codec in ("adpcm_ms", "adpcm_ima_wav", "adpcm_yamaha", "pcm_alaw", "pcm_mulaw", "pcm_f64le", "pcm_u8")
        ),
        encoded("-f", "lavfi", "-i", "sine=d=2", "-c:a", "libmp3lame", suffix="wav"),
    ],
    ids=["rf64", "bw64", "rifx", "ms", "ima", "yamaha", "alaw", "mulaw", "f64", "u8", "mp3"],
)
def test_every_kind_of_wav_is_accepted_and_rendered(artist_api, render, content):
    assert upload(artist_api, content).json()["duration"] == 2
    song = Song.objects.get()
    assert song.audio_format == "wav"
    render()
    assert song.analysis.status == "ready"


RED = saved(Image.new("RGB", (300, 200), (255, 0, 0)), "PNG")


def colour_of_cover(api) -> tuple[int, int, int]:
    cover = Album.objects.get().cover_image
    return Image.open(io.BytesIO(cover.read())).convert("RGB").getpixel((20, 20))


@pytest.mark.parametrize(
    ("arguments", "suffix"),
    [
        (("-c:v", "libtheora"), "ogg"),
        (("-c:v", "mjpeg", "-f", "mp4"), "m4a"),
        (("-c:v", "png", "-f", "mp4"), "m4a"),
        (("-c:v", "libx264", "-f", "mp4"), "m4a"),
    ],
)
def test_a_video_of_one_frame_becomes_the_cover(artist_api, tmp_path, arguments, suffix):
    picture = tmp_path / "red.png"
    picture.write_bytes(RED)
    sources = ("-f", "lavfi", "-i", "sine=d=2", "-i", str(picture), "-map", "0", "-map", "1")
    content = encoded(*sources, *arguments, "-metadata", "album=Red", "-metadata:s:a", "album=Red", suffix=suffix)
    song = upload(artist_api, content).json()
    assert (song["duration"], song["album"]["title"]) == (2, "Red")
    red, green, blue = colour_of_cover(artist_api)
    assert red > 200 > 80 > max(green, blue)


@pytest.mark.parametrize("suffix", ["ogg", "m4a"])
def test_a_video_of_more_frames_is_refused(artist_api, suffix):
    pictures = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=1:duration=2", "-f", "lavfi", "-i", "sine=d=2")
    codecs = ("-c:v", "libtheora") if suffix == "ogg" else ("-c:v", "mpeg4", "-f", "mp4")
    answer = upload(artist_api, encoded(*pictures, *codecs, suffix=suffix))
    assert code_of(answer) == ("invalid_audio", "audio_file")


def ogg(codec: str, seconds: int, *, rate: int, channels: int = 1) -> bytes:
    source = ("-f", "lavfi", "-i", f"sine=sample_rate={rate}:duration={seconds}")
    return encoded(*source, "-ac", str(channels), "-c:a", codec, "-metadata", f"title={codec} {seconds}", suffix="ogg")


@pytest.mark.parametrize(
    "links",
    [
        [("libvorbis", 44100, 1), ("libvorbis", 44100, 1)],
        [("libvorbis", 44100, 1), ("libvorbis", 48000, 1)],
        [("libvorbis", 44100, 1), ("libvorbis", 44100, 2), ("libvorbis", 44100, 2)],
        [("libopus", 48000, 1), ("libvorbis", 48000, 1)],
    ],
)
def test_all_links_of_a_chained_ogg_are_measured_and_rendered(artist_api, render, links):
    content = b"".join(
        ogg(codec, n, rate=rate, channels=channels) for n, (codec, rate, channels) in enumerate(links, 1)
    )
    song = upload(artist_api, content).json()
    assert song["duration"] == sum(range(1, len(links) + 1))
    assert song["title"] == f"{links[0][0]} 1"
    render()
    sound = Song.objects.get().analysis
    assert sound.status == "ready"
    # The waveform has the tone up to the end, so all links were decoded.
    points = artist_api.get(f"/api/songs/{song['id']}/waveform").json()["points"]
    assert sum(points[-300:]) > 0.5 * sum(points[:300])


def test_a_chain_of_very_many_different_recordings_is_refused(artist_api):
    content = (tone("ogg", 1) + ogg("libopus", 1, rate=48000)) * 40
    answer = upload(artist_api, content)
    assert code_of(answer) == ("invalid_audio", "audio_file")


@pytest.mark.parametrize(
    "content",
    [
        encoded("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3700", "-c:a", "flac", suffix="flac"),
        encoded("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3700", "-b:a", "8k", suffix="mp3"),
        encoded(
            "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3700", "-c:a", "libopus", "-b:a", "6k", suffix="ogg"
        ),
        wave(b"RIFF", bytes(8000)).replace(struct.pack("<II", 8000, 16000), struct.pack("<II", 1, 2)),
    ],
    ids=["flac", "mp3", "opus", "wav"],
)
def test_hours_of_silence_in_few_bytes_are_refused(artist_api, settings, content):
    settings.MAX_SONG_SECONDS = 3600
    answer = upload(artist_api, content)
    assert code_of(answer) == ("invalid_audio", "audio_file")

    assert stored_files() == set()


def test_ffmpeg_gets_an_empty_environment(monkeypatch, tmp_path):
    seen, fake = tmp_path / "seen", tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\n/usr/bin/env > {seen}\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr("music.catalogue.ffmpeg.get_ffmpeg_exe", lambda: str(fake))
    monkeypatch.setenv("STRIPE_LIVE_SECRET_KEY", "sk_live_secret")
    with pytest.raises(Exception, match="can't be decoded"):
        inspect_audio(ContentFile(tone("mp3")))
    assert {line.partition("=")[0] for line in seen.read_text().splitlines()} <= {"PWD", "_", "SHLVL", "OLDPWD"}
