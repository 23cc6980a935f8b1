from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.images.reencoder import reencode_image
from music.catalogue.publication import Recording
from music.catalogue.upload_limits import check_upload_limit
from users.api.serializers import UploadField

IMAGE_SIZES = "Add `?size=64`, `300` or `640` for a square of that width, cropped around the middle and never enlarged."


@extend_schema_field(OpenApiTypes.URI)
class ImageURLField(serializers.Field):
    """The URL of a stored image, or null."""

    def __init__(self, **kwargs: Any):
        super().__init__(read_only=True, allow_null=True, **{"help_text": IMAGE_SIZES, **kwargs})

    def to_representation(self, image: FieldFile) -> str | None:
        if not image:
            return None
        # Not image.url, which is a signed URL if the bucket is private: it expires, and differs in every response, so
        # clients could not cache the image.
        return self.context["request"].build_absolute_uri(f"/media/{image.name}")


class UploadedImageField(UploadField):
    """An uploaded JPEG, PNG, GIF or WebP, which is stored re-encoded; null removes the image."""

    def __init__(self, **kwargs: Any):
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> ContentFile:
        return reencode_image(super().to_internal_value(data))


class YesNoField(serializers.BooleanField):
    """A boolean that HTML forms show as a choice of yes and no.

    Browsers do not send an unticked checkbox, and a field that is not sent keeps its value, so it could not be unset.
    """

    default_empty_html = serializers.empty

    def __init__(self, **kwargs: Any):
        super().__init__(**{"style": {"base_template": "select.html"}, **kwargs})

    def iter_options(self) -> Iterator[Any]:
        choices = serializers.ChoiceField(choices=[(False, "No"), (True, "Yes")])
        return choices.iter_options()


class RecordingField(UploadField):
    """An uploaded MP3, WAV, M4A, FLAC, OGG or AAC, recognised by its content."""

    def to_internal_value(self, data: Any) -> Recording:
        # Before the file is decoded, which is expensive.
        check_upload_limit(self.context["request"].user)
        return Recording.inspected(super().to_internal_value(data))
