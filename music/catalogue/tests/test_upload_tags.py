"""Songs take their data from tags as shops, rippers and old taggers write them."""

import base64
import io
import struct
import tracemalloc
import zlib
from datetime import date
from random import Random

import pytest
import time_machine
from django.core.files.base import ContentFile
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCON, TIT2, TPE1, TPOS, TXXX
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggvorbis import OggVorbis
from PIL import Image

from music.catalogue.publication import Recording, publish_song
from music.catalogue.tag_dates import read_date
from music.catalogue.tags import read_tags
from music.catalogue.tests.test_upload_containers import id3_frame, id3_tag, wave
from music.models import Album
from music.tests.samples import audio_sample, saved, tone
from music.tests.uploads import upload

RED, BLUE = (saved(Image.new("RGB", (64, 64), colour), "JPEG") for colour in ((255, 0, 0), (0, 0, 255)))


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


def with_id3(*frames, version: int = 4) -> bytes:
    file = io.BytesIO(tone("mp3"))
    tags = ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(file, v2_version=version, v23_sep=None)
    return file.getvalue()


def with_comments(format: str = "flac", **comments: str | list[str]) -> bytes:
    file = io.BytesIO(tone(format))
    tagged = (FLAC if format == "flac" else OggVorbis)(file)
    tagged.update(comments)
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


def with_atoms(**atoms) -> bytes:
    file = io.BytesIO(tone("m4a"))
    mp4 = MP4(file)
    mp4.update({name.replace("c_", "©"): value for name, value in atoms.items()})
    file.seek(0)
    mp4.save(file)
    return file.getvalue()


def with_ape(sound: bytes, **items: str | list[str]) -> bytes:
    file = io.BytesIO(sound)
    tags = APEv2()
    tags.update(items)
    tags.save(file)
    return file.getvalue()


def id3v1(title: bytes = b"", artist: bytes = b"", album: bytes = b"", year: bytes = b"", track=0, genre=255) -> bytes:
    padded = title.ljust(30, b"\0") + artist.ljust(30, b"\0") + album.ljust(30, b"\0") + year.ljust(4, b"\0")
    return b"TAG" + padded + bytes(28) + bytes([0, track, genre])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *((text, date(1997, 5, 12)) for text in ("1997-05-12", "1997-5-12", "1997/05/12", "1997.05.12", "1997 05 12")),
        *((text, date(1997, 5, 12)) for text in ("19970512", "19970512T101112Z", "1997-05-12T10:11:12+02:00")),
        *(
            (text, date(1997, 5, 12))
            for text in ("12.05.1997", "12. 5. 1997", "12-05-1997", "1997- 5-12", "1997:05:12")
        ),
        *((text, date(1997, 5, 12)) for text in ("12 May 1997", "12th of May, 1997", "May 12, 1997", "12-May-1997")),
        *((text, date(1997, 5, 12)) for text in ("Mon, 12 May 1997 10:00:00 GMT", "1997 May 12", "1997年5月12日")),
        *((text, date(1997, 5, 13)) for text in ("13/05/1997", "05/13/1997", "１９９７－０５－１３")),
        *((text, date(1997, 5, 1)) for text in ("1997-05", "199705", "05/1997", "May 1997", "may, 1997", "1997-05-00")),
        *((text, date(1997, 1, 1)) for text in ("1997", "1997-00-00", "c. 1997", "℗ 1997 Label", "[1997]", "1997?")),
        *(
            (text, date(1997, 1, 1))
            for text in ("Spring 1997", "1997-1998", "1997–98", "1997;2011", "1997-W20", "1997, ")
        ),
        ("12/05/1997", date(1997, 1, 1)),  # May or December
        ("2011-02-31", date(2011, 1, 1)),
        ("2011-13-01", date(2011, 1, 1)),
        *((text, None) for text in ("", "0000", "0000-00-00", "last summer", "97", "9" * 5000)),
    ],
)
def test_dates_are_read_in_any_usual_spelling(written, read):
    assert read_date(written) == read


@pytest.mark.parametrize(
    "content",
    [
        with_comments(date="12 May 1997"),
        with_comments(date=["12.05.1997", "2011"]),
        with_comments(year="1997-05-12"),
        with_comments(date="soon", originaldate="1997-05-12"),
        with_comments(date="1997", releasedate="1997-05-12"),
        with_comments("ogg", RELEASE_DATE="May 12, 1997"),
        with_atoms(c_day=["12-05-1997"]),
        with_ape(tone("mp3"), Year="1997/05/12"),
        with_id3(TXXX(desc="Release date", text="1997-05-12")),
        id3_tag(id3_frame(b"TYER", b"\x001997"), id3_frame(b"TDAT", b"\x001205")) + tone("mp3"),
        id3_tag(id3_frame(b"TDRC", b"\0May 12th, 1997")) + tone("mp3"),
        id3_tag(id3_frame(b"TORY", b"\0001997-05-12")) + tone("mp3"),
    ],
)
def test_a_date_is_taken_from_any_date_field(artist_api, content):
    assert upload(artist_api, content).json()["release_date"] == "1997-05-12"


@pytest.mark.parametrize(
    ("content", "released"),
    [
        (with_comments(date="2011-02-31"), "2011-01-01"),
        (with_comments(copyright="(c) 2003 A Label"), "2003-01-01"),
        (tone("mp3") + id3v1(b"Old", year=b"1984"), "1984-01-01"),
        (with_comments(date="unknown", encoding_date="1999-01-02"), "2030-04-05"),
    ],
)
@time_machine.travel("2030-04-05 12:00:00+00:00")
def test_without_a_valid_date_the_year_or_today_is_used(artist, content, released):
    song = publish_song(artist=artist, recording=Recording.inspected(ContentFile(content, name="x")))
    assert str(song.release_date) == released


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        *(
            ("80s", "80s"),
            ("8-bit", "8-bit"),
            ("2 Step", "2 Step"),
            ("20er Jahre", "20er Jahre"),
            ("90's Rock", "90's Rock"),
        ),
        *(("17", "Rock"), ("(17)", "Rock"), ("(17)Rock", "Rock"), ("(4)Eurodisco", "Eurodisco"), ("((Foo)", "(Foo)")),
        *(("(31)(39)", "Trance"), ("(RX)", "Remix"), ("CR", "Cover")),
    ],
)
@pytest.mark.parametrize("version", [3, 4])
def test_genre_numbers_become_names(artist_api, version, written, shown):
    content = id3_tag(id3_frame(b"TCON", b"\0" + written.encode())) + tone("mp3")
    content = content[:3] + bytes([version]) + content[4:]
    assert upload(artist_api, content).json()["genre"]["title"] == shown


@pytest.mark.parametrize(
    "content",
    [
        with_id3(TIT2(text=["Yoru", "Night"]), TALB(text=["A1", "A2"]), TCON(text=["Metal", "Punk"])),
        with_comments(title=["Yoru", "Night"], album=["A1", "A2"], genre=["Metal", "Punk"]),
        with_comments("ogg", title=["\u200b", "Yoru"], album=["A1", "A2"], genre=["Metal", "Punk"]),
        with_atoms(c_nam=["Yoru", "Night"], c_alb=["A1", "A2"], c_gen=["Metal", "Punk"]),
        with_ape(tone("mp3"), Title=["Yoru", "Night"], Album=["A1", "A2"], Genre=["Metal", "Punk"]),
    ],
    ids=["id3", "flac", "ogg", "m4a", "ape"],
)
def test_the_first_of_several_values_is_taken(artist_api, content):
    song = upload(artist_api, content).json()
    assert (song["title"], song["album"]["title"], song["genre"]["title"]) == ("Yoru", "A1", "Metal")


@pytest.mark.parametrize(
    ("content", "explicit"),
    [
        (with_atoms(rtng=[1]), True),
        (with_atoms(rtng=[4]), True),
        (with_atoms(rtng=[2]), False),
        (with_atoms(rtng=[0]), False),
        (with_atoms(**{"----:com.apple.iTunes:ITUNESADVISORY": [MP4FreeForm(b"1")]}), True),
        (with_id3(TXXX(desc="ITUNESADVISORY", text="1")), True),
        (with_id3(TXXX(desc="itunesadvisory", text="2"), version=3), False),
        (with_comments(itunesadvisory="1"), True),
        (with_comments("ogg", ITUNESADVISORY="4"), True),
        (with_ape(tone("mp3"), ITUNESADVISORY="1"), True),
        (with_comments(itunesadvisory="maybe"), False),
    ],
)
def test_the_explicit_flag_of_shops_is_read(artist_api, content, explicit):
    assert upload(artist_api, content).json()["explicit"] is explicit


def test_a_given_explicit_wins_over_the_flag_in_the_tags(artist_api):
    assert upload(artist_api, with_atoms(rtng=[1]), explicit="false").json()["explicit"] is False


@pytest.mark.parametrize(
    "content",
    [
        with_id3(TPOS(text="2/3")),
        with_id3(TPOS(text="2/3"), version=3),
        with_atoms(disk=[(2, 3)]),
        with_comments(discnumber="2/3"),
        with_comments("ogg", DISCNUMBER="02"),
        with_ape(tone("mp3"), Disc="2/3"),
    ],
)
def test_disc_numbers_are_read(artist_api, content):
    song = upload(artist_api, content).json()
    assert song["disc_number"] == 2
    assert artist_api.patch(f"/api/songs/{song['id']}", {"disc_number": None}).json()["disc_number"] is None


def test_id3v1_fills_what_id3v2_lacks_and_apev2_what_both_lack(artist_api):
    sound = with_id3(TPE1(text="Somebody"), TIT2(text="In V2")) + b""
    content = with_ape(sound, Title="In APE", Album="APE Album", Disc="3") + id3v1(
        b"In V1", year=b"1984", track=7, genre=17
    )
    song = upload(artist_api, content).json()
    assert (song["title"], song["album"]["title"], song["genre"]["title"]) == ("In V2", "APE Album", "Rock")
    assert (song["track_number"], song["disc_number"], song["release_date"]) == (7, 3, "1984-01-01")


RIFX = wave(b"RIFX", bytes(16000), order=">")


def utf16_frame(text: bytes) -> bytes:
    return id3_tag(id3_frame(b"TIT2", b"\x01" + text)) + tone("mp3")


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (utf16_frame("Größe".encode("utf-16-le")), "Größe"),
        (utf16_frame("Größe".encode("utf-16-be")), "Größe"),
        (utf16_frame("Ночь и день".encode("utf-16-le")), "Ночь и день"),
        (utf16_frame("Ночь и день".encode("utf-16-be")), "Ночь и день"),
        (utf16_frame("Größe".encode("utf-16") + b"\0\0\0"), "Größe"),
        (utf16_frame("Größe".encode("utf-16")[:-1]), "Größ"),
        (id3_tag(id3_frame(b"TIT2", b"\0Don\x92t \x93Stop\x94")) + tone("mp3"), "Don’t “Stop”"),
        (id3_tag(id3_frame(b"TIT2", b"\0Caf\xe9")) + tone("mp3"), "Café"),
        (id3_tag(id3_frame(b"TIT2", b"\0" + "Ночь".encode())) + tone("mp3"), "Ночь"),
        (tone("mp3") + id3v1(b"Don\x92t Stop"), "Don’t Stop"),
        (tone("mp3") + id3v1("Ночь".encode()), "Ночь"),
        (with_comments(title="\ufeffHello"), "Hello"),
        (with_comments(title="Tab\x01here\x07"), "Tabhere"),
        (with_comments(title="\u200bHello\u200b"), "Hello"),
        (with_comments(title="Beyonce\u0301"), "Beyoncé"),
        (with_comments(title="two\nlines"), "two lines"),
        (with_comments(title="safe\u202egnp"), "safegnp"),
        (with_comments(title="\u200b\u200b"), "My song"),
        (with_comments(title="\u3164"), "My song"),
        (RIFX + b"LIST" + struct.pack(">I4s4sI", 18, b"INFO", b"INAM", 6) + b"Hello\0", "Hello"),
    ],
)
def test_titles_are_read_in_any_encoding_without_invisible_characters(artist_api, content, title):
    assert upload(artist_api, content, name="My song.mp3").json()["title"] == title


def id3_pictures(*pictures: tuple[int, bytes]) -> bytes:
    return with_id3(
        TALB(text="Album"),
        *(
            APIC(encoding=1, mime="image/jpeg", type=kind, desc=f"{n}", data=data)
            for n, (kind, data) in enumerate(pictures)
        ),
    )


def flac_pictures(*pictures: tuple[int, bytes]) -> bytes:
    file = io.BytesIO(with_comments(album="Album"))
    flac = FLAC(file)
    for picture in map(block, pictures):
        flac.add_picture(picture)
    file.seek(0)
    flac.save(file)
    return file.getvalue()


def ogg_pictures(*pictures: tuple[int, bytes]) -> bytes:
    blocks = [base64.b64encode(block(picture).write()).decode() for picture in pictures]
    return with_comments("ogg", album="Album", metadata_block_picture=blocks)


def block(picture: tuple[int, bytes]) -> Picture:
    made = Picture()
    made.type, made.data = picture
    made.mime = "image/jpeg"
    return made


FRONT, BACK, ICON, OTHER_ICON = 3, 4, 1, 2


@pytest.mark.parametrize(
    ("pictures", "is_red"),
    [
        ([(BACK, BLUE), (FRONT, RED)], True),
        ([(ICON, BLUE), (FRONT, RED)], True),
        ([(FRONT, RED[:200]), (BACK, RED)], True),
        ([(FRONT, RED[:200]), (FRONT, RED), (BACK, BLUE)], True),
        ([(BACK, BLUE)], False),
        ([(FRONT, saved(Image.new("RGB", (64, 64), (255, 0, 0)), "GIF")), (BACK, BLUE)], True),
        ([(ICON, BLUE), (OTHER_ICON, BLUE)], None),
        ([(FRONT, b"<svg/>")], None),
    ],
)
@pytest.mark.parametrize("tagged", [id3_pictures, flac_pictures, ogg_pictures])
def test_the_front_cover_is_taken_or_else_any_picture_but_icons(artist_api, tagged, pictures, is_red):
    upload(artist_api, tagged(*pictures))
    cover = Album.objects.get().cover_image
    if is_red is None:
        assert not cover
    else:
        red, _, blue = Image.open(io.BytesIO(cover.read())).convert("RGB").getpixel((20, 20))
        assert (red > blue) is is_red


def test_the_cover_of_an_ape_tag_is_taken(artist_api):
    file = io.BytesIO(with_ape(tone("mp3"), Album="Album"))
    tags = APEv2(file)
    tags["Cover Art (Back)"] = b"back.jpg\0" + BLUE
    tags["Cover Art (Front)"] = b"front.jpg\0" + RED
    file.seek(0)
    tags.save(file)
    upload(artist_api, file.getvalue())
    red, _, blue = Image.open(io.BytesIO(Album.objects.get().cover_image.read())).convert("RGB").getpixel((20, 20))
    assert red > blue


def test_id3_version_2_4_with_plain_sizes_is_read(artist_api):
    long = id3_frame(b"COMM", b"\0eng\0" + b"x" * 300)
    content = id3_tag(long, id3_frame(b"TIT2", b"\0After")) + tone("mp3")
    assert upload(artist_api, content[:3] + b"\x04" + content[4:]).json()["title"] == "After"


def test_unsynchronised_tags_are_read(artist_api):
    frame = id3_frame(b"TIT2", b"\x01\xff\xfe" + "Größe".encode("utf-16-le"))
    tag = id3_tag(frame.replace(b"\xff\xfe", b"\xff\x00\xfe"))
    content = tag[:5] + b"\x80" + tag[6:] + tone("mp3")
    assert upload(artist_api, content).json()["title"] == "Größe"


def with_damaged_tags(format: str) -> list[bytes]:
    chance = Random(format)
    whole = audio_sample(format, cover=RED)
    at = max(whole.find(b"Low Tide"), 0)
    files = [bytearray(whole) for _ in range(5)]
    for file in files:
        for _ in range(30):
            file[max(at - 100 + chance.randrange(300), 0)] = chance.randrange(256)
    return [bytes(file) for file in files]


@pytest.mark.parametrize("format", ["mp3", "wav", "m4a"])
def test_broken_tags_do_not_fail_the_upload(artist_api, format):
    for content in with_damaged_tags(format):
        assert upload(artist_api, content).status_code == 201


@pytest.mark.parametrize("format", ["flac", "ogg"])
def test_broken_tags_raise_nothing_in_containers_that_the_damage_makes_undecodable(format):
    for content in with_damaged_tags(format):
        assert len(read_tags(io.BytesIO(content), format, [], 0).title or "") <= 200


def test_tags_that_unpack_to_gigabytes_use_little_memory(artist_api):
    packed = zlib.compress(b"\0" + b"A" * 2**26)
    frame = b"TIT2" + struct.pack(">I", len(packed) + 4) + b"\0\x80" + struct.pack(">I", 2**26) + packed
    tracemalloc.start()
    song = upload(artist_api, id3_tag(*[frame] * 40) + tone("mp3")).json()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert song["title"] == "A" * 200
    assert peak < 150 * 2**20
