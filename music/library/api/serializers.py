"""Answers to likes, favorites and follows: the caller's relation to the song, album or artist after the request."""

from rest_framework import serializers


class LikeStateSerializer(serializers.Serializer):
    is_liked = serializers.BooleanField()
    like_count = serializers.IntegerField()


class FavoriteStateSerializer(serializers.Serializer):
    is_favorite = serializers.BooleanField()


class FollowStateSerializer(serializers.Serializer):
    is_following = serializers.BooleanField()
