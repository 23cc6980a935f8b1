from typing import Any

from rest_framework import serializers

from core.api.row_serializers import origin_of
from music.advertising.api.serializers import AdSerializer
from users.models import AudioQuality


class PathURLField(serializers.URLField):
    """A path on this host, sent as an absolute URL."""

    def to_representation(self, path: Any) -> str:
        return origin_of(self.context["request"]) + path


class PlaySerializer(serializers.Serializer):
    play_count = serializers.IntegerField()
    stream_url = PathURLField(
        source="stream_path", allow_null=True, help_text="Needs no header; null for a song without audio."
    )
    quality = serializers.ChoiceField(choices=AudioQuality.choices)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When `stream_url` stops working.")
    ad = AdSerializer(allow_null=True, help_text="With every third counted play, if the plan has ads.")


class SkipSerializer(serializers.Serializer):
    skips_remaining = serializers.IntegerField(
        allow_null=True, help_text="Skips left in the current 60 minutes; null: unlimited."
    )
