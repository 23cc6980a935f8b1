from rest_framework import serializers

from music.catalogue.api.album_serializers import AlbumSerializer
from music.catalogue.api.artist_serializers import ArtistSerializer
from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.discovery.search.models import Kind


class SearchQuerySerializer(serializers.Serializer):
    q = serializers.CharField(help_text="The text to search for; the last word may be unfinished.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20, help_text="Results of each kind.")
    type = serializers.ChoiceField(choices=["all", *Kind.values], default="all")

    @property
    def kinds(self) -> list[str]:
        kind = self.validated_data["type"]
        return list(Kind.values) if kind == "all" else [kind]


class SearchAnswerSerializer(serializers.Serializer):
    """The matches of each kind, best first. A kind that `type` leaves out is empty."""

    songs = SongSerializer(many=True)
    albums = AlbumSerializer(many=True)
    artists = ArtistSerializer(many=True)
    genres = GenreSerializer(many=True)
