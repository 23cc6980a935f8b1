from rest_framework import serializers

from music.catalogue.api.album_serializers import AlbumSerializer
from music.catalogue.api.artist_serializers import ArtistSerializer
from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.discovery.search.models import Kind


class SearchQuerySerializer(serializers.Serializer):
    q = serializers.CharField(help_text="What to look for; the last word may be unfinished.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20, help_text="Of each kind.")
    type = serializers.ChoiceField(choices=["all", *Kind.values], default="all")

    @property
    def kinds(self) -> list[str]:
        asked = self.validated_data["type"]
        return list(Kind.values) if asked == "all" else [asked]


class SearchAnswerSerializer(serializers.Serializer):
    """Best match first; a kind that was not asked for is empty."""

    songs = SongSerializer(many=True)
    albums = AlbumSerializer(many=True)
    artists = ArtistSerializer(many=True)
    genres = GenreSerializer(many=True)
