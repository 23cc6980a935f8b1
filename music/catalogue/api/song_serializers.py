from typing import Any

import orjson
from django.core.validators import MaxValueValidator, MinValueValidator
from rest_framework import serializers

from core.api.row_serializers import RowSerializer
from music.catalogue.api.album_serializers import AlbumNameSerializer
from music.catalogue.api.fields import RecordingField, YesNoField
from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.models import Album, Song, Visibility
from music.catalogue.publication import publish_song, update_song
from music.catalogue.song_payload import FIELDS
from music.streaming.api.serializers import LoudnessSerializer
from music.streaming.models import Status, gain
from music.streaming.signed_urls import signed_path, stream_path
from users.api.serializers import NameField, PersonSerializer


class SongSerializer(RowSerializer):
    """A song: its payload from the database, its counts, and whether the caller has liked or favorited it."""

    columns: tuple[str, ...] = (
        *("pk", "payload", "is_public"),
        *("number", "play_count", "like_count", "is_liked", "is_favorite"),
    )

    artist = PersonSerializer()
    album = AlbumNameSerializer(allow_null=True)
    genre = GenreSerializer(allow_null=True)
    audio_file = serializers.URLField(allow_null=True, help_text="Plays in an `<audio>` element, without a header.")
    play_count = serializers.IntegerField()
    like_count = serializers.IntegerField()
    is_liked = serializers.BooleanField()
    is_favorite = serializers.BooleanField()

    class Meta:
        model = Song
        fields = [*FIELDS, "play_count", "like_count", "is_liked", "is_favorite"]

    def to_representation(self, song: Any) -> dict[str, Any]:
        shown = orjson.loads(song.payload)
        if shown["audio_file"]:
            # A song that is not public is shown only to its artist, so the URL can be signed for the caller.
            shown["audio_file"] = self.origin + (
                stream_path(shown["id"])
                if song.is_public
                else signed_path(song.pk, listener=self.context["request"].user)
            )
        if album := shown["album"]:
            album["cover_image"] = self.image_url(album["cover_image"])
        shown["play_count"] = song.play_count
        shown["like_count"] = song.like_count
        shown["is_liked"] = song.is_liked
        shown["is_favorite"] = song.is_favorite
        return shown


class SongDetailSerializer(SongSerializer):
    columns = (
        *SongSerializer.columns,
        *("artist_id", "analysis_status", "analysis_reason", "analysis_lufs", "analysis_peak"),
    )

    status = serializers.ChoiceField(
        Status.choices, help_text="State of the renditions. The original plays in every state."
    )
    status_reason = serializers.CharField(
        allow_null=True, help_text="Why making the renditions failed; null unless the caller is the song's artist."
    )
    loudness = LoudnessSerializer(allow_null=True, help_text="Null for silence, and until it is measured.")

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "status", "status_reason", "loudness"]

    def to_representation(self, song: Any) -> dict[str, Any]:
        shown = super().to_representation(song)
        is_own = self.context["request"].user.pk == song.artist_id
        status = song.analysis_status or Status.PROCESSING
        lufs, peak = song.analysis_lufs, song.analysis_peak
        is_measured = lufs is not None and peak is not None
        return shown | {
            "status": status if shown["audio_file"] else Status.READY,
            "status_reason": (song.analysis_reason or None) if is_own else None,
            "loudness": {"lufs": lufs, "peak": peak, "gain": gain(lufs, peak)} if is_measured else None,
        }


class CollectedSongSerializer(SongSerializer):
    columns = (*SongSerializer.columns, "added_at")
    added_at = serializers.DateTimeField()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "added_at"]

    def to_representation(self, song: Any) -> dict[str, Any]:
        return super().to_representation(song) | {"added_at": song.added_at}


class PlayedSongSerializer(SongSerializer):
    columns = (*SongSerializer.columns, "played_at")
    played_at = serializers.DateTimeField()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "played_at"]

    def to_representation(self, song: Any) -> dict[str, Any]:
        return super().to_representation(song) | {"played_at": song.played_at}


class OwnAlbumField(serializers.PrimaryKeyRelatedField):
    """An album of the caller; albums of others are reported like albums that do not exist."""

    def get_queryset(self) -> Any:
        return Album.objects.filter(artist=self.context["request"].user.pk).order_by("title")


class SongWriteSerializer(serializers.ModelSerializer):
    audio_file = RecordingField(help_text="MP3, WAV, M4A, FLAC, OGG or AAC, up to 50 MB.")
    title = NameField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="By default the title in the file's tags, or else the file's name.",
    )
    album = OwnAlbumField(required=False, allow_null=True, help_text="The id of one of your albums.")
    album_title = NameField(
        max_length=200,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Instead of `album`: a title. If you have no album with this title, it is created.",
    )
    genre = NameField(
        max_length=200,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Title of the genre, which is created if new.",
    )
    release_date = serializers.DateField(required=False, allow_null=True)
    track_number = serializers.IntegerField(
        required=False, allow_null=True, validators=[MinValueValidator(1), MaxValueValidator(32767)]
    )
    disc_number = serializers.IntegerField(
        required=False, allow_null=True, validators=[MinValueValidator(1), MaxValueValidator(32767)]
    )
    explicit = YesNoField(required=False)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)

    class Meta:
        model = Song
        fields = [
            "audio_file",
            "title",
            "album",
            "album_title",
            "genre",
            "release_date",
            "track_number",
            "disc_number",
            "explicit",
            "visibility",
            "licensing_info",
        ]

    def validate_title(self, title: str) -> str:
        if self.instance and not title:
            raise serializers.ValidationError("A song needs a title.", "blank")
        return title

    def create(self, validated_data: dict[str, Any]) -> Song:
        recording = validated_data.pop("audio_file")
        return publish_song(artist=self.context["request"].user, recording=recording, **validated_data)

    def update(self, instance: Song, validated_data: dict[str, Any]) -> Song:
        recording = validated_data.pop("audio_file", None)
        return update_song(instance, recording=recording, **validated_data)
