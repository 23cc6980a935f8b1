from typing import Any
from uuid import UUID

import orjson
from rest_framework import serializers

from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.models import Song
from music.discovery.blend import Reason
from music.discovery.recommendations import Recommendation
from users.api.serializers import PersonSerializer

MAX_EXCLUDED = 1000


class SongNameSerializer(serializers.ModelSerializer):
    artist = PersonSerializer()

    class Meta:
        model = Song
        fields = ["id", "title", "artist"]


class ReasonSerializer(serializers.Serializer):
    """The reason for a recommendation: its kind, and the song, artist or genre that it names.

    `because_you_played` names a song, `followed_artist` an artist, `favorite_genre` a genre, `trending` nothing.
    """

    optional_in_answers = ("song", "artist", "genre")

    kind = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    song = SongNameSerializer(required=False)
    artist = PersonSerializer(required=False)
    genre = GenreSerializer(required=False)


class RecommendedSongSerializer(SongSerializer):
    reason = ReasonSerializer()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "reason"]

    def to_representation(self, recommended: Recommendation) -> dict[str, Any]:
        shown = super().to_representation(recommended.song)
        named: dict[Reason, dict[str, Any]] = {
            Reason.BECAUSE_YOU_PLAYED: {"song": recommended.because_of and song_name(recommended.because_of)},
            Reason.FOLLOWED_ARTIST: {"artist": shown["artist"]},
            Reason.FAVORITE_GENRE: {"genre": shown["genre"]},
            Reason.TRENDING: {},
        }
        return shown | {"reason": {"kind": recommended.reason, **named[recommended.reason]}}


def song_name(song: Any) -> dict[str, Any]:
    """Return the id, title and artist of a song's row."""
    payload = orjson.loads(song.payload)
    return {name: payload[name] for name in SongNameSerializer.Meta.fields}


class IdsField(serializers.CharField):
    """Ids separated by commas, as a set of UUIDs."""

    def to_internal_value(self, data: str) -> set[UUID]:
        texts = [text.strip() for text in super().to_internal_value(data).split(",")]
        if len(texts) > MAX_EXCLUDED:
            raise serializers.ValidationError(f"Send at most {MAX_EXCLUDED} ids.", "invalid")
        try:
            return {UUID(text) for text in texts if text}
        except ValueError as error:
            raise serializers.ValidationError("Separate the ids by commas.", "invalid") from error


class RadioQuerySerializer(serializers.Serializer):
    seed_song = serializers.CharField(required=False, help_text="The id of a song. Send exactly one of the seeds.")
    seed_artist = serializers.CharField(required=False, help_text="The id of an artist.")
    seed_genre = serializers.CharField(required=False, help_text="The id of a genre.")
    exclude = IdsField(
        required=False,
        allow_blank=True,
        help_text=f"Songs to leave out: up to {MAX_EXCLUDED} ids, separated by commas.",
    )

    def validate(self, attrs: dict) -> dict:
        if len(attrs.keys() - {"exclude"}) != 1:
            raise serializers.ValidationError("Send exactly one of seed_song, seed_artist and seed_genre.", "invalid")
        return attrs
