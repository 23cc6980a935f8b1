from typing import Any

from rest_framework import serializers

from core.api.row_serializers import RowSerializer
from music.catalogue.albums import change_album, create_album
from music.catalogue.api.fields import ImageURLField, UploadedImageField
from music.catalogue.models import Album
from users.api.serializers import NameField, PersonSerializer
from users.people import public_json


class AlbumSerializer(RowSerializer):
    columns: tuple[str, ...] = (
        *("pk", "title", "artist_id", "artist_username", "artist_name", "release_date", "cover_image"),
        *("songs_shown", "duration_shown", "is_favorite", "created_at"),
    )

    artist = PersonSerializer()
    cover_image = ImageURLField()
    song_count = serializers.IntegerField(help_text="Number of public songs.")
    duration = serializers.IntegerField(help_text="Total length of the public songs in seconds.")
    is_favorite = serializers.BooleanField()

    class Meta:
        model = Album
        fields = [
            "id",
            "title",
            "artist",
            "release_date",
            "cover_image",
            "song_count",
            "duration",
            "is_favorite",
            "created_at",
        ]

    def to_representation(self, album: Any) -> dict[str, Any]:
        return {
            "id": album.pk,
            "title": album.title,
            "artist": public_json(album.artist_id, album.artist_username, album.artist_name),
            "release_date": album.release_date,
            "cover_image": self.image_url(album.cover_image),
            "song_count": album.songs_shown,
            "duration": album.duration_shown,
            "is_favorite": album.is_favorite,
            "created_at": album.created_at,
        }


class CollectedAlbumSerializer(AlbumSerializer):
    columns = (*AlbumSerializer.columns, "added_at")
    added_at = serializers.DateTimeField()

    class Meta(AlbumSerializer.Meta):
        fields = [*AlbumSerializer.Meta.fields, "added_at"]

    def to_representation(self, album: Any) -> dict[str, Any]:
        return super().to_representation(album) | {"added_at": album.added_at}


class AlbumNameSerializer(serializers.ModelSerializer):
    cover_image = ImageURLField()

    class Meta:
        model = Album
        fields = ["id", "title", "cover_image"]


class AlbumWriteSerializer(serializers.ModelSerializer):
    title = NameField(max_length=200)
    release_date = serializers.DateField(required=False, allow_null=True)
    cover_image = UploadedImageField(required=False, help_text="JPEG, PNG, GIF or WebP, up to 10 MB.")

    class Meta:
        model = Album
        fields = ["title", "release_date", "cover_image"]

    def create(self, validated_data: dict[str, Any]) -> Album:
        return create_album(artist=self.context["request"].user, **validated_data)

    def update(self, instance: Album, validated_data: dict[str, Any]) -> Album:
        return change_album(instance, **validated_data)
