from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from music.catalogue.models import Album, Song, Visibility
from music.catalogue.publishing import publish_song, update_song
from music.serializers.albums import AlbumNameSerializer
from music.serializers.artists import ArtistNameSerializer
from music.serializers.fields import RecordingField, YesNoField
from music.serializers.genres import GenreSerializer
from music.serializers.sound import LoudnessSerializer
from music.streaming.models import Sound, Status
from music.streaming.signed_urls import stream_url


class SongSerializer(serializers.ModelSerializer):
    artist = ArtistNameSerializer()
    album = AlbumNameSerializer(allow_null=True)
    genre = GenreSerializer(allow_null=True)
    audio_file = serializers.SerializerMethodField(help_text="Plays in an `<audio>` element as it is.")
    play_count = serializers.IntegerField(source="counts.play_count")
    like_count = serializers.IntegerField(source="counts.like_count")
    is_liked = serializers.BooleanField()
    is_favorite = serializers.BooleanField()

    class Meta:
        model = Song
        fields = [
            "id",
            "title",
            "artist",
            "album",
            "genre",
            "track_number",
            "duration",
            "release_date",
            "explicit",
            "visibility",
            "licensing_info",
            "audio_file",
            "play_count",
            "like_count",
            "is_liked",
            "is_favorite",
            "created_at",
            "updated_at",
        ]

    def get_audio_file(self, song: Song) -> str | None:
        return stream_url(song, self.context["request"])


class SongDetailSerializer(SongSerializer):
    status = serializers.SerializerMethodField(help_text="Of its renditions; the upload plays all the same.")
    status_reason = serializers.SerializerMethodField(help_text="Why it failed; for the song's artist alone.")
    loudness = serializers.SerializerMethodField(help_text="Null until it is measured, and for silence.")

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "status", "status_reason", "loudness"]

    @extend_schema_field(serializers.ChoiceField(Status.choices))
    def get_status(self, song: Song) -> str:
        if not song.audio_file:
            return Status.READY
        return song.sound.status if hasattr(song, "sound") else Status.PROCESSING

    def get_status_reason(self, song: Song) -> str | None:
        is_own = self.context["request"].user.pk == song.artist_id
        return (song.sound.reason or None) if is_own and hasattr(song, "sound") else None

    @extend_schema_field(LoudnessSerializer(allow_null=True))
    def get_loudness(self, song: Song) -> dict[str, Any] | None:
        sound: Sound | None = getattr(song, "sound", None)
        if sound is None or sound.gain is None:
            return None
        return LoudnessSerializer(sound).data


class CollectedSongSerializer(SongSerializer):
    added_at = serializers.DateTimeField()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "added_at"]


class PlayedSongSerializer(SongSerializer):
    played_at = serializers.DateTimeField()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "played_at"]


class OwnAlbumField(serializers.PrimaryKeyRelatedField):
    """An album of the caller's; another's is as unknown as one that does not exist."""

    def get_queryset(self) -> Any:
        return Album.objects.filter(artist=self.context["request"].user.pk).order_by("title")


class SongWriteSerializer(serializers.ModelSerializer):
    audio_file = RecordingField(help_text="MP3, WAV, M4A, FLAC, OGG or AAC, up to 50 MB.")
    title = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Else from the file's tags, else from its name.",
    )
    album = OwnAlbumField(required=False, allow_null=True, help_text="One of your albums.")
    album_title = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Or its title; made if new.",
    )
    genre = serializers.CharField(
        max_length=200, required=False, allow_blank=True, allow_null=True, help_text="Its title; made if new."
    )
    release_date = serializers.DateField(required=False, allow_null=True)
    track_number = serializers.IntegerField(
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
