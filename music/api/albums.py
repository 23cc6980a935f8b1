from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import CatalogueViewSet
from music.catalogue.api.album_filters import AlbumFilter
from music.catalogue.api.album_serializers import AlbumSerializer, AlbumWriteSerializer, CollectedAlbumSerializer
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.models import Album, Listener, Song
from music.catalogue.orderings import RELEASED_FIRST, RELEASED_LAST, TRACK_ORDER
from music.library.api.viewset import NEWEST_FIRST, FavoriteActions
from music.library.queries import album_list, favorites_of, with_caller_state


class AlbumViewSet(FavoriteActions, CatalogueViewSet):
    """Albums with their songs. Listeners see an album only while they see a song on it, or none is on it yet."""

    serializer_class = AlbumSerializer
    write_serializer_class = AlbumWriteSerializer
    filterset_class = AlbumFilter
    orderings = {
        "release_date": (RELEASED_FIRST, RELEASED_LAST),
        "created_at": "created_at",
        "title": "title_folded",
    }
    ordering = "-release_date"

    @classmethod
    def base_queryset(cls, listener: Listener) -> QuerySet[Album]:
        return Album.objects.visible_to(listener)

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet[Album]:
        return album_list(listener)

    @extend_schema(responses=SongSerializer(many=True))
    @action(
        detail=True,
        serializer_class=SongSerializer,
        filterset_class=None,
        orderings={"track_number": TRACK_ORDER},
        ordering="track_number",
    )
    def songs(self, request: Request, pk: str) -> Response:
        """List the album's songs that the caller may see, by disc, then track."""
        listener = request.user
        songs = Song.objects.visible_to(listener).filter(album=self.get_object())
        return self.page_of(with_caller_state(listener, songs))

    @extend_schema(responses=CollectedAlbumSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=CollectedAlbumSerializer,
        **NEWEST_FIRST,
    )
    def favorites(self, request: Request) -> Response:
        """List the caller's favorite albums, last added first."""
        return self.page_of(favorites_of(request.user, self.get_queryset()))
