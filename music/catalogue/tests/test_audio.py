import datetime
import io
import random
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from mutagen.id3 import ID3

from music.catalogue.audio import CONTENT_TYPES, MAX_AUDIO_BYTES, AudioFacts, inspect_audio
from music.catalogue.tags import AudioTags
from music.tests.samples import AUDIO_FORMATS, audio_sample, encoded, image_sample, tone

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2")
PICTURES = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=2")


def inspect(content: bytes) -> AudioFacts:
    return inspect_audio(ContentFile(content, name="upload.bin"))


def outcome(content: bytes) -> str:
    try:
        assert 0 < inspect(content).seconds < 3
    except ValidationError as refusal:
        return refusal.code
    return "accepted"


def code_of_refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as refusal:
        inspect(content)
    return refusal.value.code


def id3_tag(*frames: bytes) -> bytes:
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def id3_frame(name: bytes, body: bytes, flags: bytes = b"\0\0") -> bytes:
    return name + struct.pack(">I", len(body)) + flags + body


def wav(data: bytes, *, stated_size: int | None = None, rate: int = 8000) -> bytes:
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    size = len(data) if stated_size is None else stated_size
    chunks = b"WAVE" + sound + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + chunks


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_each_format_is_told_by_its_content_and_measured(format):
    facts = inspect(audio_sample(format))
    assert facts.format == format
    assert facts.seconds == pytest.approx(2, abs=0.1)
    assert facts.format in CONTENT_TYPES


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_tags_and_cover_are_read_from_each_format(format):
    cover = image_sample()
    tags = inspect(audio_sample(format, cover=cover)).tags
    assert (tags.title, tags.artist, tags.album, tags.genre) == (
        "Low Tide",
        "Ana Brook",
        "Harbour Songs",
        "Folk",
    )
    assert tags.track_number == 3
    assert tags.release_date == datetime.date(2019, 5, 17)
    assert tags.covers == (cover,)


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_a_file_without_tags_has_none(format):
    tags = inspect(tone(format)).tags
    assert tags == AudioTags()


def test_the_bitrate_is_that_of_the_sound_without_its_cover():
    plain = inspect(tone("mp3")).bitrate
    assert plain == pytest.approx(64, abs=3)
    assert inspect(audio_sample("mp3", cover=image_sample("PNG", (900, 900)))).bitrate == plain


@pytest.mark.parametrize("upload", [SimpleUploadedFile, TemporaryUploadedFile])
def test_an_upload_is_left_at_its_start(upload):
    content = audio_sample("mp3")
    if upload is TemporaryUploadedFile:
        file = TemporaryUploadedFile("song.mp3", "audio/mpeg", len(content), None)
        file.write(content)
    else:
        file = SimpleUploadedFile("song.mp3", content)
    assert inspect_audio(file).format == "mp3"
    assert file.read() == content


@pytest.mark.parametrize(
    ("encoder", "suffix", "format"),
    [("libopus", "ogg", "ogg"), ("flac", "oga", "ogg"), ("alac", "m4a", "m4a"), ("pcm_f32le", "wav", "wav")],
)
def test_other_codecs_of_these_formats_are_welcome(encoder, suffix, format):
    facts = inspect(encoded(*TONE, "-c:a", encoder, suffix=suffix))
    assert (facts.format, round(facts.seconds)) == (format, 2)


@pytest.mark.parametrize("format", ["mp3", "flac", "ogg", "aac"])
def test_sound_is_found_behind_several_tags_and_their_padding(format):
    tag = id3_tag(id3_frame(b"TIT2", b"\0Outer"))
    facts = inspect(tag + tag + (bytes(100) if format in ("mp3", "aac") else b"") + tone(format))
    assert (facts.format, round(facts.seconds)) == (format, 2)


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_an_old_tag_behind_the_sound_does_no_harm(format):
    assert round(inspect(tone(format) + b"TAG" + bytes(125)).seconds) == 2


@pytest.mark.parametrize("version", [3, 4])
def test_both_common_versions_of_id3_are_read(version):
    file = io.BytesIO(audio_sample("mp3", title="Ночь 夜"))
    ID3(file).save(file, v2_version=version)
    tags = inspect(file.getvalue()).tags
    assert (tags.title, tags.release_date) == ("Ночь 夜", datetime.date(2019, 5, 17))


def test_id3_of_version_2_2_is_read():
    frame = b"TT2" + (6).to_bytes(3) + b"\0Early"
    tag = b"ID3\x02\x00\x00\0\0\0" + bytes([len(frame)]) + frame
    assert inspect(tag + tone("mp3")).tags.title == "Early"


def test_the_info_chunk_of_a_wav_is_read_also_in_latin_1():
    info = b"INFOINAM" + struct.pack("<I", 6) + b"Caf\xe9\0\0"
    content = wav(bytes(16000)) + b"LIST" + struct.pack("<I", len(info)) + info
    assert inspect(content).tags.title == "Café"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "=HYPERLINK('x')",
        "'; DROP TABLE song;--",
        "a=b;c#d\\e",
        "[CHAPTER]",
    ],
)
@pytest.mark.parametrize("format", ["mp3", "m4a", "flac"])
def test_text_is_kept_as_it_is(format, text):
    assert inspect(audio_sample(format, title=text)).tags.title == text


def test_text_is_trimmed_cut_and_never_blank():
    tags = inspect(audio_sample("flac", title="  " + "x" * 300, artist="   ", album="\n")).tags
    assert (tags.title, tags.artist, tags.album) == ("x" * 200, None, None)


@pytest.mark.parametrize(
    ("written", "read"),
    [("7", 7), ("07/12", 7), ("0", None), ("32768", None), ("-1", None), ("A1", None), ("9" * 5000, None)],
)
def test_track_numbers_that_make_no_sense_are_dropped(written, read):
    assert inspect(audio_sample("flac", track_number=written)).tags.track_number == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2012", datetime.date(2012, 1, 1)),
        ("2012-08", datetime.date(2012, 8, 1)),
        ("2012-08-09", datetime.date(2012, 8, 9)),
        ("2012-08-09T10:11:12Z", datetime.date(2012, 8, 9)),
        ("0000", None),
        ("last summer", None),
    ],
)
def test_dates_are_read_as_far_as_they_go(written, read):
    assert inspect(audio_sample("flac", date=written)).tags.release_date == read


def test_an_empty_file_is_refused():
    assert code_of_refusal(b"") == "empty_file"


def test_a_file_over_the_limit_is_refused_before_it_is_read():
    assert code_of_refusal(bytes(MAX_AUDIO_BYTES + 1)) == "file_too_large"


@pytest.mark.parametrize(
    "content",
    [
        bytes(20_000),
        random.Random(1).randbytes(20_000),
        b"\xff\xfb\x90\x00" + random.Random(2).randbytes(20_000),
        b"\xff\xf1\x50\x80" + random.Random(3).randbytes(20_000),
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        b"<!doctype html><p>Hello</p>",
        b"fLaC",
        b"OggS",
        b"RIFF\x04\x00\x00\x00WAVE",
        b"\x00\x00\x00\x18ftypM4A ",
        b"ID3",
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
    ],
)
def test_what_is_not_sound_is_refused(content):
    assert code_of_refusal(content) == "invalid_audio"


@pytest.mark.parametrize("prefix", [b"<html>hello</html>", image_sample("PNG"), b"ID3\x03\0\0\0\0\0\0<html></html>"])
def test_something_else_glued_before_the_sound_is_refused(prefix):
    assert code_of_refusal(prefix + tone("mp3")) == "invalid_audio"


def test_a_flac_header_alone_is_no_sound():
    assert code_of_refusal(tone("flac")[:42]) == "invalid_audio"


@pytest.mark.parametrize("content", [wav(b""), wav(bytes(4000), rate=0)])
def test_a_wav_without_sound_or_rate_is_refused(content):
    assert code_of_refusal(content) == "invalid_audio"


def test_a_wav_that_states_4_gb_is_as_long_as_its_bytes():
    facts = inspect(wav(bytes(16000), stated_size=2**32 - 1))
    assert facts.seconds == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("format", ["mp3", "aac", "wav"])
def test_a_stream_cut_short_is_as_long_as_what_plays(format):
    content = tone(format, 4)
    assert inspect(content[: len(content) // 2]).seconds == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("format", ["m4a", "flac"])
def test_a_file_that_states_more_than_it_holds_is_refused(format):
    content = tone(format, 4)
    assert code_of_refusal(content[: len(content) // 2]) == "invalid_audio"


def test_a_fast_start_m4a_cut_short_is_refused():
    content = encoded(*TONE, "-c:a", "aac", "-movflags", "+faststart", suffix="m4a")
    assert code_of_refusal(content[: len(content) * 2 // 3]) == "invalid_audio"


@pytest.mark.parametrize(
    "arguments", [("-c:v", "mpeg4", "-c:a", "aac", "-f", "mp4"), ("-c:v", "libtheora", "-f", "ogg")]
)
def test_video_is_refused_whatever_its_name(arguments):
    assert code_of_refusal(encoded(*PICTURES, *TONE, *arguments, suffix="m4a")) == "invalid_audio"


def test_a_compressed_tag_can_not_exhaust_memory():
    blown_up = b"\0" + b"A" * 2**25
    packed = struct.pack(">I", len(blown_up)) + zlib.compress(blown_up)
    facts = inspect(id3_tag(id3_frame(b"TIT2", packed, flags=b"\0\x80")) + tone("mp3"))
    assert round(facts.seconds) == 2
    assert len(facts.tags.title or "") <= 200


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_no_damage_brings_anything_but_facts_or_a_refusal(format):
    chance = random.Random(format)
    whole = audio_sample(format, cover=image_sample())
    for _ in range(4):
        damaged = bytearray(whole[: chance.randrange(1, len(whole))])
        for _ in range(10):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        assert outcome(bytes(damaged)) in {"accepted", "invalid_audio"}
