"""What students prove themselves with: a PDF or a picture, told by its content, up to 10 MB."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from PIL import Image

LARGEST = 10 * 2**20
LARGEST_PICTURE = 40_000_000  # pixels
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
PICTURES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


def checked_document(file: File) -> ContentFile:
    """The same bytes under a name of ours; raises ValidationError."""
    if file.size > LARGEST:
        raise ValidationError("A document may have up to 10 MB.", "file_too_large")
    content = file.read()
    if not content:
        raise ValidationError("This file is empty.", "empty_file")
    return ContentFile(content, name=f"document.{_ending(file, content)}")


def _ending(file: File, content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "pdf"
    try:
        file.seek(0)
        with Image.open(file, formats=list(PICTURES)) as picture:
            if picture.width * picture.height <= LARGEST_PICTURE:
                return PICTURES[str(picture.format)]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pass
    raise ValidationError("Send a PDF, or a picture as JPEG, PNG or WebP.", "invalid_document")
