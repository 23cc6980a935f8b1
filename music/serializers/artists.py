from rest_framework import serializers

from music.serializers.fields import ImageURLField
from users.models import User


class PublicUsernameField(serializers.CharField):
    """A username that is the account's e-mail address is shown without what makes it an address."""

    def to_representation(self, username: str) -> str:
        return username.partition("@")[0]


class ArtistNameSerializer(serializers.ModelSerializer):
    username = PublicUsernameField()

    class Meta:
        model = User
        fields = ["id", "username", "name"]


class ArtistSerializer(serializers.ModelSerializer):
    username = PublicUsernameField()
    profile_picture = ImageURLField(source="profile.profile_picture")
    song_count = serializers.IntegerField(help_text="Public songs.")
    album_count = serializers.IntegerField(help_text="Albums that everybody sees.")
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


class FollowedArtistSerializer(ArtistSerializer):
    followed_at = serializers.DateTimeField()

    class Meta(ArtistSerializer.Meta):
        fields = [*ArtistSerializer.Meta.fields, "followed_at"]


class FollowerSerializer(serializers.ModelSerializer):
    username = PublicUsernameField()
    followed_at = serializers.DateTimeField()

    class Meta:
        model = User
        fields = ["id", "username", "followed_at"]
