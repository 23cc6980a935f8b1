"""Pictures from outside become plain JPEG or PNG files of our own making."""

import io
import math
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from PIL import Image, ImageCms

MAX_IMAGE_BYTES = 10 * 2**20
MAX_PIXELS = 40_000_000
MAX_SIDE = 3000
LARGE_PROGRESSIVE_PIXELS = 20_000_000
BAND = 128
LANCZOS_RADIUS = 3
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reencode_image(file: File) -> ContentFile:
    """Upright, in sRGB, at most 3000 px a side, no metadata: image.jpg, or image.png if see-through.

    Raises ValidationError with code file_too_large or invalid_image.
    """
    _check_size(file)
    file.seek(0)
    try:
        return _encode(_plain_picture(file))
    except ValidationError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    # Pillow's readers raise whatever broken bytes lead them to: OSError, SyntaxError, struct.error …
    except Exception as error:
        raise _invalid("This is not an image that we can read. Upload a whole JPEG, PNG, GIF or WebP.") from error
    finally:
        file.seek(0)


def _check_size(file: File) -> None:
    if not file.size:
        raise ValidationError("This file is empty. Choose another one.", code="invalid_image")
    if file.size > MAX_IMAGE_BYTES:
        raise ValidationError("This image is larger than 10 MB. Upload a smaller one.", code="file_too_large")


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_image")


def _too_many_pixels() -> ValidationError:
    return _invalid("This image has more than 40 megapixels. Upload a smaller one.")


def _plain_picture(file: File) -> Image.Image:
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels()
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
        profile = image.info.get("icc_profile")
        _decode(image)
        picture = _in_srgb(_shrink(image), profile)
    return picture.transpose(turn) if turn else picture


def _decode(image: Image.Image) -> None:
    # JPEG can be decoded at a half, a quarter or an eighth, which saves the memory of the whole.
    size = _fitting(image.size)
    if image.info.get("progressive") and image.width * image.height > LARGE_PROGRESSIVE_PIXELS:
        size = (image.width // 2, image.height // 2)  # its coefficients alone take up to six bytes a pixel
    image.draft(None, size)
    image.load()


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1, MAX_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrink(image: Image.Image) -> Image.Image:
    width, height = _fitting(image.size)
    if (width, height) == image.size:
        return _eight_bit(image)
    # In bands, because converting or resizing the whole would hold a second copy of it.
    bands = [_shrunk_band(image, top, min(top + BAND, height), (width, height)) for top in range(0, height, BAND)]
    shrunk = Image.new(bands[0].mode, (width, height))
    for index, band in enumerate(bands):
        shrunk.paste(band, (0, index * BAND))
    return shrunk


def _shrunk_band(image: Image.Image, top: int, bottom: int, size: tuple[int, int]) -> Image.Image:
    """Rows `top` to `bottom` of the picture at its new size, just as if it had been resized as a whole."""
    scale = image.height / size[1]
    reach = math.ceil(LANCZOS_RADIUS * scale) + 1
    first = max(0, math.floor(top * scale) - reach)
    last = min(image.height, math.ceil(bottom * scale) + reach)
    rows = _eight_bit(image.crop((0, first, image.width, last)))
    box = (0, top * scale - first, image.width, min(bottom * scale - first, last - first))
    return rows.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box=box)


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode == "1":
        return image.convert("L")
    # convert("L") would clip 16-bit grey at 255, which is all white.
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "P" or image.has_transparency_data:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        source, srgb = io.BytesIO(profile), ImageCms.createProfile("sRGB")
        # A broken profile says nothing about the picture.
        with suppress(ImageCms.PyCMSError, OSError):
            image = ImageCms.profileToProfile(image, source, srgb, outputMode=mode) or image
    return image.convert(mode)


def _encode(picture: Image.Image) -> ContentFile:
    picture.info.clear()  # Pillow writes comments and profiles that it finds here
    encoded = io.BytesIO()
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        picture.save(encoded, "PNG")
        return ContentFile(encoded.getvalue(), name="image.png")
    picture.convert("RGB").save(encoded, "JPEG", quality=90)
    return ContentFile(encoded.getvalue(), name="image.jpg")
