from typing import Any
from uuid import UUID

import orjson
from rest_framework import serializers

from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.models import Song
from music.discovery.blend import Why
from music.discovery.recommendations import Recommendation
from users.api.serializers import PersonSerializer

MAX_EXCLUDED = 1000


class SongNameSerializer(serializers.ModelSerializer):
    artist = PersonSerializer()

    class Meta:
        model = Song
        fields = ["id", "title", "artist"]


class ReasonSerializer(serializers.Serializer):
    """Beside `kind` there is what it is about: the song, the artist or the genre; with `trending` nothing."""

    optional_in_answers = ("song", "artist", "genre")

    kind = serializers.ChoiceField(choices=[why.value for why in Why])
    song = SongNameSerializer(required=False)
    artist = PersonSerializer(required=False)
    genre = GenreSerializer(required=False)


class RecommendedSongSerializer(SongSerializer):
    reason = ReasonSerializer()

    class Meta(SongSerializer.Meta):
        fields = [*SongSerializer.Meta.fields, "reason"]

    def to_representation(self, recommended: Recommendation) -> dict[str, Any]:
        shown = super().to_representation(recommended.song)
        about: dict[Why, dict[str, Any]] = {
            Why.BECAUSE_YOU_PLAYED: {"song": recommended.because_of and song_name(recommended.because_of)},
            Why.FOLLOWED_ARTIST: {"artist": shown["artist"]},
            Why.FAVOURITE_GENRE: {"genre": shown["genre"]},
            Why.TRENDING: {},
        }
        return shown | {"reason": {"kind": recommended.why, **about[recommended.why]}}


def song_name(song: Any) -> dict[str, Any]:
    payload = orjson.loads(song.payload)
    return {name: payload[name] for name in SongNameSerializer.Meta.fields}


class IdsField(serializers.CharField):
    """Ids with commas between them."""

    def to_internal_value(self, data: str) -> set[UUID]:
        texts = [text.strip() for text in super().to_internal_value(data).split(",")]
        if len(texts) > MAX_EXCLUDED:
            raise serializers.ValidationError(f"Give at most {MAX_EXCLUDED} ids.", "invalid")
        try:
            return {UUID(text) for text in texts if text}
        except ValueError as error:
            raise serializers.ValidationError("Give ids with commas between them.", "invalid") from error


class RadioQuerySerializer(serializers.Serializer):
    seed_song = serializers.CharField(required=False, help_text="Its id. One seed has to be given.")
    seed_artist = serializers.CharField(required=False, help_text="Or the id of an artist.")
    seed_genre = serializers.CharField(required=False, help_text="Or the id of a genre.")
    exclude = IdsField(
        required=False, allow_blank=True, help_text=f"Songs that came already: up to {MAX_EXCLUDED} ids with commas."
    )

    def validate(self, attrs: dict) -> dict:
        if len(attrs.keys() - {"exclude"}) != 1:
            raise serializers.ValidationError("Give one of seed_song, seed_artist and seed_genre.", "invalid")
        return attrs
