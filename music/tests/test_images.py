import random
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from music.catalogue.images import MAX_IMAGE_BYTES, reencode_image
from music.tests.samples import image_sample, saved


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
def test_each_format_is_told_by_its_content(format):
    picture = reencode(image_sample(format))
    assert (picture.format, picture.size) == ("JPEG", (64, 64))


def test_the_file_is_named_by_what_it_became():
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


def test_an_alpha_channel_that_hides_nothing_becomes_jpeg():
    assert reencode(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 255)), "PNG")).format == "JPEG"


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photograph_comes_out_upright(orientation):
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


def test_an_empty_file_says_so():
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


@pytest.mark.parametrize("format", ["TIFF", "BMP", "PPM", "ICO"])
def test_other_formats_are_refused(format):
    assert code_of_refusal(image_sample(format)) == "invalid_image"


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000), b"GIF89a", b"\xff\xd8"])
def test_what_is_not_a_picture_is_refused(content):
    assert code_of_refusal(content) == "invalid_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_truncated_picture_is_refused(format):
    content = image_sample(format, (200, 200))
    assert code_of_refusal(content[: len(content) * 2 // 3]) == "invalid_image"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_no_damage_brings_anything_but_a_picture_or_a_refusal(format):
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
