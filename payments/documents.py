"""Documents of student applications: a PDF or a picture of up to 10 MB, recognised by content."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from PIL import Image

from core.images.headers import check_size, check_structure

MAX_BYTES = 10 * 2**20
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
PICTURES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}  # MPO: a JPEG that holds several pictures


def checked_document(file: File) -> ContentFile:
    """Return the file's bytes under a name made here. Raise ValidationError for the wrong type or size."""
    if file.size > MAX_BYTES:
        raise ValidationError("A document may have up to 10 MB.", "file_too_large")
    content = file.read()
    if not content:
        raise ValidationError("This file is empty.", "empty_file")
    return ContentFile(content, name=f"document.{_extension(file, content)}")


def _extension(file: File, content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "pdf"
    try:
        file.seek(0)
        check_structure(content)
        with Image.open(file, formats=("JPEG", "PNG", "WEBP")) as picture:
            check_size(picture.size)
            return PICTURES[str(picture.format)]
    # Pillow raises errors of many types for broken files: OSError, SyntaxError, struct.error …
    except Exception as error:
        message = "Send a PDF, or a picture as JPEG, PNG or WebP of at most 40 megapixels."
        raise ValidationError(message, "invalid_document") from error
