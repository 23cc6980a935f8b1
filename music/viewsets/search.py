from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.models import Genre, Listener
from music.discovery.search.finding import find
from music.discovery.search.models import Kind
from music.library.state import albums_for, artists_for, songs_for
from music.serializers.albums import AlbumSerializer
from music.serializers.artists import ArtistSerializer
from music.serializers.genres import GenreSerializer
from music.serializers.reading import RowSerializer
from music.serializers.search import SearchAnswerSerializer, SearchQuerySerializer
from music.serializers.songs import SongSerializer
from music.viewsets.base import PageViewSet


def genres_for(listener: Listener) -> QuerySet:
    return Genre.objects.all()


SHOWN: dict[str, tuple[Callable[[Listener], QuerySet], type[RowSerializer]]] = {
    Kind.SONG: (songs_for, SongSerializer),
    Kind.ALBUM: (albums_for, AlbumSerializer),
    Kind.ARTIST: (artists_for, ArtistSerializer),
    Kind.GENRE: (genres_for, GenreSerializer),
}


class SearchActions(PageViewSet):
    @extend_schema(parameters=[SearchQuerySerializer], responses=SearchAnswerSerializer)
    @action(detail=False, filterset_class=None, orderings={})
    def search(self, request: Request) -> Response:
        """Songs, albums, artists and genres, best match first.

        Every result has each word of the query, and whole words come before longer ones. Accents, case, punctuation,
        word order and an article in front don't matter, the last word may be unfinished, and one typo in a short word
        or two in a longer one are forgiven.
        """
        query = SearchQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        rows = {kind: self.kept_rows(*SHOWN[kind]) for kind in query.kinds}
        found = find(given["q"], rows, limit=given["limit"], user=request.user.pk)
        return Response({f"{kind}s": self._shown(kind, found.get(kind, [])) for kind in Kind.values})

    def _shown(self, kind: str, rows: list) -> list:
        _, serializer = SHOWN[kind]
        return serializer(rows, many=True, context=self.get_serializer_context()).data if rows else []
