import random
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from core.images import reencoder as images
from core.images.reencoder import MAX_IMAGE_BYTES, reencode_image
from music.models import Ad, Album, Song
from music.tests.samples import audio_sample, image_sample, saved
from music.tests.uploads import send_image, stored_files, upload


def reencode(content: bytes) -> Image.Image:
    return Image.open(reencode_image(ContentFile(content, name="upload.bin")))


def outcome(content: bytes) -> str:
    try:
        reencode(content)
    except ValidationError as refusal:
        return refusal.code
    return "accepted"


def code_of_refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as refusal:
        reencode(content)
    return refusal.value.code


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_the_format_is_recognized_by_the_content(format):
    picture = reencode(image_sample(format))
    assert (picture.format, picture.size) == ("JPEG", (64, 64))


def test_the_suffix_is_that_of_the_new_format():
    assert reencode_image(ContentFile(image_sample("PNG"))).name == "image.jpg"
    see_through = saved(Image.new("RGBA", (8, 8), (255, 0, 0, 40)), "PNG")
    assert reencode_image(ContentFile(see_through)).name == "image.png"


def test_transparency_is_kept():
    picture = reencode(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 40)), "WEBP"))
    assert (picture.format, picture.getpixel((0, 0))[3]) == ("PNG", 40)


def test_a_transparent_palette_is_kept():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    picture = reencode(saved(image, "PNG", transparency=1))
    assert picture.getpixel((0, 0)) == (255, 255, 255, 0)


def test_an_opaque_alpha_channel_becomes_jpeg():
    assert reencode(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 255)), "PNG")).format == "JPEG"


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_orientation_of_a_photograph_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = reencode(saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif))
    assert picture.size == ((20, 40) if orientation >= 5 else (40, 20))


def test_nothing_written_into_the_picture_survives():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    jpeg = saved(Image.new("RGB", (9, 9)), "JPEG", exif=exif, comment=b"secret note", icc_profile=profile)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret note")
    png = saved(Image.new("RGBA", (9, 9)), "PNG", pnginfo=text, exif=exif, icc_profile=profile)
    for content in (jpeg, png, jpeg + b"secret tail"):
        clean = reencode_image(ContentFile(content)).read()
        assert b"secret" not in clean
        assert not {"exif", "comment", "icc_profile"} & Image.open(ContentFile(clean)).info.keys()


def test_a_broken_colour_profile_is_dropped():
    content = saved(Image.new("RGB", (9, 9), "red"), "PNG", icc_profile=b"not a profile")
    red, green, blue = reencode(content).getpixel((4, 4))
    assert red > 240 > 20 > green + blue


def test_cmyk_becomes_rgb():
    picture = reencode(saved(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG"))
    red, green, blue = picture.getpixel((4, 4))
    assert picture.mode == "RGB"
    assert red > 200 > 80 > max(green, blue)


@pytest.mark.parametrize(("value", "grey"), [(0, 0), (32768, 128), (65535, 255)])
def test_16_bit_grey_keeps_its_shades(value, grey):
    picture = reencode(saved(Image.new("I;16", (9, 9), value), "PNG"))
    assert picture.getpixel((4, 4)) == (grey, grey, grey)


def test_an_animation_keeps_its_first_frame():
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    picture = reencode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert picture.getpixel((4, 4))[0] > 240
    assert getattr(picture, "n_frames", 1) == 1


@pytest.mark.parametrize(("size", "fitted"), [((3200, 16), (3000, 15)), ((7, 6001), (3, 3000)), ((3000, 9),) * 2])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_large_pictures_are_scaled_down(format, size, fitted):
    width, height = reencode(image_sample(format, size)).size
    assert (width, height) == pytest.approx(fitted, abs=1)
    assert max(width, height) == 3000


def test_a_picture_scaled_down_in_bands_shows_no_seams():
    whole = Image.radial_gradient("L").resize((3500, 500))
    picture = reencode(saved(whole, "PNG")).convert("L")
    expected = whole.resize(picture.size, Image.Resampling.LANCZOS)
    assert max(ImageChops.difference(picture, expected).getextrema()) <= 8


def test_an_empty_file_is_refused():
    assert code_of_refusal(b"") == "invalid_image"


def test_a_file_over_the_limit_is_refused():
    assert code_of_refusal(bytes(MAX_IMAGE_BYTES + 1)) == "file_too_large"


@pytest.mark.parametrize("side", [6400, 20000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side):
    header = struct.pack(">4sIIBBBBB", b"IHDR", side, side, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    pixels = b"\0\0\0\1IDAT\0" + struct.pack(">I", zlib.crc32(b"IDAT\0"))
    with pytest.raises(ValidationError, match="40 megapixels"):
        reencode(b"\x89PNG\r\n\x1a\n" + chunk + pixels)


def png_of(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a black grey-scale image, whose file is small however many pixels it has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes((width + 1) * height), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("size", [(20_001, 1), (1, 20_001), (4_000_000, 1), (40_000_000, 1)])
def test_a_picture_that_is_too_long_is_refused_before_it_is_decoded(size):
    assert code_of_refusal(png_of(*size)) == "invalid_image"


@pytest.mark.parametrize(
    ("size", "fitted"), [((20_000, 10), (3000, 2)), ((10, 20_000), (2, 3000)), ((8000, 5000), (3000, 1875))]
)
def test_the_largest_pictures_are_accepted(size, fitted):
    assert reencode(png_of(*size)).size == fitted


def jpeg_with(*segments: bytes, scans: int = 0) -> bytes:
    """Return a small progressive JPEG with extra segments at its start and its last scan repeated."""
    jpeg = saved(Image.new("L", (32, 32)), "JPEG", progressive=True)
    last_scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:2] + b"".join(segments) + jpeg[2:-2] + last_scan * scans + jpeg[-2:]


def gif_with(blocks: bytes) -> bytes:
    gif = saved(Image.new("L", (32, 32)), "GIF")
    colours_end = 13 + (3 << ((gif[10] & 7) + 1))
    return gif[:colours_end] + blocks + gif[colours_end:]


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with(b"\xff\xe5\0\2" * 100_000),
        jpeg_with(b"\xff\xfe\0\2" * 100_000),
        jpeg_with(b"\xff" * 1_000_000),
        jpeg_with(b"\xff\xd0" * 100_000),
        jpeg_with(scans=1000),
        png_of(8, 8, *[(b"teSt", b"")] * 100_000),
        png_of(8, 8, *[(b"tEXt", b"key\0value")] * 100_000),
        png_of(8, 8, (b"iCCP", b"name\0\0" + zlib.compress(bytes(50_000_000), 9))),
        png_of(8, 8, (b"zTXt", b"name\0\0" + zlib.compress(bytes(50_000_000), 9))),
        gif_with(b"\x21\xfe\1a\0" * 100_000),
        gif_with(b"\x21\xfe" + b"\1a" * 100_000 + b"\0"),
        gif_with(b"?" * 100_000),
    ],
    ids=["segments", "comments", "filling", "restarts", "scans", "chunks", "texts", "profile", "text", "gif comments",
         "gif pieces", "gif junk"],
)  # fmt: skip
def test_a_picture_made_of_nothing_but_overhead_is_refused(content):
    assert code_of_refusal(content) == "invalid_image"


def test_pictures_with_the_metadata_of_cameras_and_editors_are_accepted():
    photo = [b"\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(65_527)] + [b"\xff\xe2\xff\xff" + bytes(65_533)] * 30
    assert reencode(jpeg_with(*photo)).size == (32, 32)
    motion_photo = saved(Image.new("RGB", (32, 32)), "JPEG") + b"\xff\xda\xff\xe1" * 100_000
    assert reencode(motion_photo).size == (32, 32)
    assert reencode(jpeg_with(scans=20)).size == (32, 32)
    assert reencode(png_of(8, 8, *[(b"tEXt", b"key%d\0value" % number) for number in range(500)])).size == (8, 8)


def test_broken_camera_metadata_is_ignored():
    assert reencode(saved(Image.new("RGB", (40, 20)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).size == (40, 20)


def test_pictures_are_decoded_one_at_a_time(monkeypatch):
    at_work, most = 0, 0
    shrink = images._shrink

    def counted(image):
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.01)
        shrunk = shrink(image)
        at_work -= 1
        return shrunk

    monkeypatch.setattr(images, "_shrink", counted)
    with ThreadPoolExecutor(8) as uploads:
        done = list(uploads.map(reencode, [image_sample("PNG", (500, 500))] * 16))

    assert (len(done), most) == (16, 1)


@pytest.mark.parametrize("format", ["TIFF", "BMP", "PPM", "ICO"])
def test_other_formats_are_refused(format):
    assert code_of_refusal(image_sample(format)) == "invalid_image"


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000), b"GIF89a", b"\xff\xd8"])
def test_files_that_are_not_pictures_are_refused(content):
    assert code_of_refusal(content) == "invalid_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_truncated_picture_is_refused(format):
    content = image_sample(format, (200, 200))
    assert code_of_refusal(content[: len(content) * 2 // 3]) == "invalid_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_damaged_file_becomes_a_picture_or_is_refused(format):
    chance = random.Random(format)
    whole = image_sample(format)
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(5):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert outcome(bytes(damaged)) in {"accepted", "invalid_image"}


def test_the_file_is_left_at_its_start():
    file = ContentFile(image_sample())
    reencode_image(file)
    assert file.tell() == 0


@pytest.fixture
def too_long() -> bytes:
    return png_of(40_000_000, 1)


@pytest.mark.django_db
def test_a_picture_that_is_too_long_is_refused_at_every_endpoint(api_as, artist, client, make_user, too_long):
    musician = api_as(artist)
    album = Album.objects.create(title="Album", artist=artist)

    as_cover = send_image(musician, f"/api/albums/{album.pk}", too_long)
    as_picture = musician.patch(
        "/api/profile", {"profile_picture": SimpleUploadedFile("me.png", too_long)}, format="multipart"
    )
    for answer, field in ((as_cover, "cover_image"), (as_picture, "profile_picture")):
        assert answer.status_code == 400
        assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [("invalid_image", field)]

    in_tags = upload(musician, audio_sample("mp3", cover=too_long), title="With a cover", album_title="Album")
    assert (in_tags.status_code, in_tags.data["album"]["cover_image"]) == (201, None)

    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    ad = {"name": "Shoes", "weight": 1, "starts_0": "2026-01-01", "starts_1": "00:00:00"}
    files = {"audio": SimpleUploadedFile("a", audio_sample("mp3")), "image": SimpleUploadedFile("b", too_long)}
    in_admin = client.post("/admin/music/ad/add/", {**ad, **files})
    assert "wider or higher than 20,000 pixels" in in_admin.content.decode()
    assert not Ad.objects.exists()
    assert stored_files() == {Song.objects.get().audio_file.name}
