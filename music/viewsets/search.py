from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.artists import visible_artists
from music.catalogue.models import Album, Genre
from music.discovery.search.finding import find
from music.discovery.search.models import Kind
from music.library.state import albums_as_seen_by, artists_as_seen_by
from music.serializers.albums import AlbumSerializer
from music.serializers.artists import ArtistSerializer
from music.serializers.search import SearchAnswerSerializer, SearchQuerySerializer
from music.serializers.songs import SongSerializer
from music.viewsets.base import PageViewSet


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
        listener = request.user
        rows: dict[str, Callable[[], QuerySet]] = {
            Kind.SONG: lambda: SongSerializer.read(self.get_rows()),
            Kind.ALBUM: lambda: AlbumSerializer.read(albums_as_seen_by(listener, Album.objects.visible_to(listener))),
            Kind.ARTIST: lambda: ArtistSerializer.read(artists_as_seen_by(listener, visible_artists())),
            Kind.GENRE: Genre.objects.all,
        }
        given = query.validated_data
        found = find(given["q"], {kind: rows[kind]() for kind in query.kinds}, limit=given["limit"])
        answer = {kind: found.get(kind, []) for kind in Kind.values}
        return Response(SearchAnswerSerializer(answer, context=self.get_serializer_context()).data)
