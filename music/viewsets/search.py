from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.artists import visible_artists
from music.catalogue.models import Album, Genre, Song
from music.discovery.search.finding import find
from music.discovery.search.models import Kind
from music.library.state import Listener, albums_as_seen_by, artists_as_seen_by, songs_as_seen_by
from music.serializers.albums import AlbumSerializer
from music.serializers.artists import ArtistSerializer
from music.serializers.genres import GenreSerializer
from music.serializers.reading import RowSerializer
from music.serializers.search import SearchAnswerSerializer, SearchQuerySerializer
from music.serializers.songs import SongSerializer
from music.viewsets.base import PageViewSet

SHOWN_BY: dict[str, type[RowSerializer]] = {
    Kind.SONG: SongSerializer,
    Kind.ALBUM: AlbumSerializer,
    Kind.ARTIST: ArtistSerializer,
    Kind.GENRE: GenreSerializer,
}


def songs(listener: Listener) -> QuerySet:
    return SongSerializer.read(songs_as_seen_by(listener, Song.objects.visible_to(listener)))


def albums(listener: Listener) -> QuerySet:
    return AlbumSerializer.read(albums_as_seen_by(listener, Album.objects.visible_to(listener)))


def artists(listener: Listener) -> QuerySet:
    return ArtistSerializer.read(artists_as_seen_by(listener, visible_artists()))


def genres(listener: Listener) -> QuerySet:
    return GenreSerializer.read(Genre.objects.all())


ROWS: dict[str, Callable[[Listener], QuerySet]] = {
    Kind.SONG: songs,
    Kind.ALBUM: albums,
    Kind.ARTIST: artists,
    Kind.GENRE: genres,
}


class SearchActions(PageViewSet):
    @extend_schema(parameters=[SearchQuerySerializer], responses=SearchAnswerSerializer)
    @action(detail=False, filterset_class=None, orderings={})
    def search(self, request: Request) -> Response:
        """Songs, albums, artists and genres, best match first.

        Accents, case, punctuation and word order don't matter, the last word may be unfinished, and one typo in a
        short word or two in a longer one are forgiven.
        """
        query = SearchQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        rows = {kind: self.kept_rows(ROWS[kind]) for kind in query.kinds}
        found = find(given["q"], rows, limit=given["limit"], user=request.user.pk)
        return Response({f"{kind}s": self._shown(kind, found.get(kind, [])) for kind in Kind.values})

    def _shown(self, kind: str, rows: list) -> list:
        return SHOWN_BY[kind](rows, many=True, context=self.get_serializer_context()).data if rows else []
