from typing import Any

from rest_framework import serializers

from core.api.row_serializers import RowSerializer
from music.catalogue.api.fields import ImageURLField
from users.models import User
from users.people import public_json, public_username


class ArtistSerializer(RowSerializer):
    columns: tuple[str, ...] = (
        *("pk", "username", "name", "profile_picture"),
        *("song_count", "album_count", "follower_count", "is_following"),
    )

    profile_picture = ImageURLField()
    song_count = serializers.IntegerField(help_text="Number of public songs.")
    album_count = serializers.IntegerField(help_text="Number of albums that every caller sees.")
    follower_count = serializers.IntegerField()
    is_following = serializers.BooleanField()

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "name",
            "profile_picture",
            "song_count",
            "album_count",
            "follower_count",
            "is_following",
        ]

    def to_representation(self, artist: Any) -> dict[str, Any]:
        return public_json(artist.pk, artist.username, artist.name) | {
            "profile_picture": self.image_url(artist.profile_picture),
            "song_count": artist.song_count,
            "album_count": artist.album_count,
            "follower_count": artist.follower_count,
            "is_following": artist.is_following,
        }


class FollowedArtistSerializer(ArtistSerializer):
    columns = (*ArtistSerializer.columns, "followed_at")
    followed_at = serializers.DateTimeField()

    class Meta(ArtistSerializer.Meta):
        fields = [*ArtistSerializer.Meta.fields, "followed_at"]

    def to_representation(self, artist: Any) -> dict[str, Any]:
        return super().to_representation(artist) | {"followed_at": artist.followed_at}


class FollowerSerializer(RowSerializer):
    columns = ("pk", "username", "followed_at")
    followed_at = serializers.DateTimeField()

    class Meta:
        model = User
        fields = ["id", "username", "followed_at"]

    def to_representation(self, follower: Any) -> dict[str, Any]:
        username = public_username(follower.username)
        return {"id": follower.pk, "username": username, "followed_at": follower.followed_at}
