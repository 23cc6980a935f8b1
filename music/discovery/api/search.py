from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.row_serializers import RowSerializer
from music.api.base import PageViewSet
from music.catalogue.api.album_serializers import AlbumSerializer
from music.catalogue.api.artist_serializers import ArtistSerializer
from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.models import Genre, Listener
from music.discovery.api.search_serializers import SearchAnswerSerializer, SearchQuerySerializer
from music.discovery.search.finder import find
from music.discovery.search.models import Kind
from music.library.queries import album_list, artist_list, song_list


def genre_list(listener: Listener) -> QuerySet:
    return Genre.objects.all()


# For each kind, the rows that a listener may see and the serializer that shows them.
SHOWN: dict[str, tuple[Callable[[Listener], QuerySet], type[RowSerializer]]] = {
    Kind.SONG: (song_list, SongSerializer),
    Kind.ALBUM: (album_list, AlbumSerializer),
    Kind.ARTIST: (artist_list, ArtistSerializer),
    Kind.GENRE: (genre_list, GenreSerializer),
}


class SearchActions(PageViewSet):
    @extend_schema(parameters=[SearchQuerySerializer], responses=SearchAnswerSerializer)
    @action(detail=False, filterset_class=None, orderings={})
    def search(self, request: Request) -> Response:
        """List songs, albums, artists and genres that match, best match first.

        Every result has each word of the query, and whole words come before longer ones. Accents, case, punctuation,
        word order and a leading article don't matter. The last word may be unfinished, and one typo in a short word or
        two in a longer one are forgiven.
        """
        query = SearchQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        parameters = query.validated_data
        rows = {kind: self.compiled_queryset(*SHOWN[kind]) for kind in query.kinds}
        found = find(parameters["q"], rows, limit=parameters["limit"], user=request.user.pk)
        return Response({f"{kind}s": self._shown(kind, found.get(kind, [])) for kind in Kind.values})

    def _shown(self, kind: str, rows: list) -> list:
        _, serializer = SHOWN[kind]
        return serializer(rows, many=True, context=self.get_serializer_context()).data if rows else []
