"""Re-encoding of uploaded pictures as plain JPEG or PNG files, without metadata.

`core/images/headers.py` decides first whether a file may be decoded at all.
"""

import io
import math
from contextlib import suppress
from threading import Lock

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from PIL import Image, ImageCms, ImageOps

from core.images.headers import check_size, check_structure, too_many_pixels, unreadable

MAX_IMAGE_BYTES = 10 * 2**20
MAX_SIDE = 3000
LARGE_PROGRESSIVE_PIXELS = 20_000_000
BAND = 128
LANCZOS_RADIUS = 3
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")

WITH_ORIENTATION = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")

# The largest picture takes 600 MB while it is decoded, so a process decodes one at a time.
decode_lock = Lock()


def reencode_image(file: File) -> ContentFile:
    """Return the picture upright, in sRGB, at most 3000 px a side, without metadata: image.jpg, or image.png if
    it has transparent pixels.

    Raise ValidationError with code file_too_large or invalid_image.
    """
    if not file.size:
        raise ValidationError("This file is empty. Choose another one.", code="invalid_image")
    if file.size > MAX_IMAGE_BYTES:
        raise ValidationError("This image is larger than 10 MB. Upload a smaller one.", code="file_too_large")
    file.seek(0)
    try:
        check_structure(file.read())
        file.seek(0)
        with decode_lock:
            return _encode(_plain_picture(file))
    except ValidationError:
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels() from error
    # Broken bytes make Pillow raise almost anything: OSError, SyntaxError, struct.error …
    except Exception as error:
        raise unreadable("This is not an image that we can read. Upload a whole JPEG, PNG, GIF or WebP.") from error
    finally:
        file.seek(0)


def square_image(file: File, side: int) -> ContentFile:
    """Return the central square of a picture of `reencode_image`, `side` pixels wide or as wide as the picture is."""
    with decode_lock, Image.open(file, formats=("JPEG", "PNG")) as image:
        name = f"image.{'png' if image.format == 'PNG' else 'jpg'}"
        image.draft(None, (side, side))
        width, height = image.size
        cut = min(width, height)
        left, top = (width - cut) / 2, (height - cut) / 2
        side, box = min(side, cut), (left, top, left + cut, top + cut)
        square = image.resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        square.info.clear()
        encoded = io.BytesIO()
        square.save(encoded, image.format, **({"quality": 85} if image.format == "JPEG" else {}))
        return ContentFile(encoded.getvalue(), name=name)


def _plain_picture(file: File) -> Image.Image:
    with Image.open(file, formats=FORMATS) as image:
        check_size(image.size)
        profile = image.info.get("icc_profile")
        # JPEG can be decoded at a half, a quarter or an eighth of its size, which saves memory.
        size = _fitting(image.size)
        if image.info.get("progressive") and image.width * image.height > LARGE_PROGRESSIVE_PIXELS:
            size = (image.width // 2, image.height // 2)  # the coefficients alone take up to six bytes a pixel
        image.draft(None, size)
        image.load()
        picture = _in_srgb(_shrink(image), profile)
        picture.info = {name: image.info[name] for name in WITH_ORIENTATION if name in image.info}
    # After shrinking, because it copies the picture. Broken metadata says nothing about the pixels.
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size (width, height) scaled down to MAX_SIDE."""
    scale = min(1, MAX_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrink(image: Image.Image) -> Image.Image:
    width, height = _fitting(image.size)
    if (width, height) == image.size:
        return _eight_bit(image)
    # In bands, because converting or resizing all of it would need memory for a second copy.
    bands = [_shrunk_band(image, top, min(top + BAND, height), (width, height)) for top in range(0, height, BAND)]
    shrunk = Image.new(bands[0].mode, (width, height))
    for index, band in enumerate(bands):
        shrunk.paste(band, (0, index * BAND))
    return shrunk


def _shrunk_band(image: Image.Image, top: int, bottom: int, size: tuple[int, int]) -> Image.Image:
    """Return rows `top` to `bottom` of the resized picture, equal to those of resizing it as a whole."""
    scale = image.height / size[1]
    # A Lanczos filter reads this many source rows beyond the band's own.
    reach = math.ceil(LANCZOS_RADIUS * scale) + 1
    first = max(0, math.floor(top * scale) - reach)
    last = min(image.height, math.ceil(bottom * scale) + reach)
    rows = _eight_bit(image.crop((0, first, image.width, last)))
    box = (0, top * scale - first, image.width, min(bottom * scale - first, last - first))
    return rows.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box=box)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the image in a mode that Lanczos can resize: 8 bits a channel, without a palette."""
    if image.mode == "1":
        return image.convert("L")
    # convert("L") would clip 16-bit grey at 255, so that nearly everything becomes white.
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "P" or image.has_transparency_data:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        source, srgb = io.BytesIO(profile), ImageCms.createProfile("sRGB")
        # A picture with a broken profile is still a picture.
        with suppress(ImageCms.PyCMSError, OSError):
            image = ImageCms.profileToProfile(image, source, srgb, outputMode=mode) or image
    return image.convert(mode)


def _encode(picture: Image.Image) -> ContentFile:
    picture.info.clear()  # else Pillow writes the comments and profiles in it into the new file
    encoded = io.BytesIO()
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        picture.save(encoded, "PNG")
        return ContentFile(encoded.getvalue(), name="image.png")
    picture.convert("RGB").save(encoded, "JPEG", quality=90)
    return ContentFile(encoded.getvalue(), name="image.jpg")
