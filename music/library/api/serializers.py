"""Answers to a deed: how things stand now."""

from rest_framework import serializers

from music.advertising.api.serializers import AdSerializer
from users.models import AudioQuality


class LikeStateSerializer(serializers.Serializer):
    is_liked = serializers.BooleanField()
    like_count = serializers.IntegerField()


class FavoriteStateSerializer(serializers.Serializer):
    is_favorite = serializers.BooleanField()


class FollowStateSerializer(serializers.Serializer):
    is_following = serializers.BooleanField()


class PlaySerializer(serializers.Serializer):
    play_count = serializers.IntegerField()
    stream_url = serializers.URLField(allow_null=True, help_text="Needs no header; null for a song without audio.")
    quality = serializers.ChoiceField(choices=AudioQuality.choices)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When `stream_url` ends.")
    ad = AdSerializer(allow_null=True, help_text="With each third counted play, where the plan has ads.")


class SkipSerializer(serializers.Serializer):
    skips_remaining = serializers.IntegerField(allow_null=True, help_text="In these 60 minutes; null: unlimited.")
