from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import CatalogueViewSet
from music.catalogue.api.song_filters import SongFilter
from music.catalogue.api.song_serializers import (
    CollectedSongSerializer,
    SongDetailSerializer,
    SongSerializer,
    SongWriteSerializer,
)
from music.catalogue.models import Listener, Song
from music.catalogue.orderings import RELEASED_FIRST, RELEASED_LAST
from music.discovery.api.recommendations import RecommendationActions
from music.discovery.api.search import SearchActions
from music.library.api.viewset import NEWEST_FIRST, FavoriteActions, LikeActions
from music.library.queries import favorites_of, likes_of, song_list
from music.playback.api.viewset import PlaybackActions
from music.streaming.api.viewset import StreamingActions


class SongViewSet(
    LikeActions,
    FavoriteActions,
    PlaybackActions,
    StreamingActions,
    RecommendationActions,
    SearchActions,
    CatalogueViewSet,
):
    """Songs, with the actions that each subject adds to them."""

    serializer_class = SongSerializer
    detail_serializer_class = SongDetailSerializer
    write_serializer_class = SongWriteSerializer
    filterset_class = SongFilter
    orderings = {
        "play_count": "counts__play_count",
        "like_count": "counts__like_count",
        "release_date": (RELEASED_FIRST, RELEASED_LAST),
        "created_at": "created_at",
        "title": "title_folded",
    }
    tie_breakers = {"play_count": "counts__song_id", "like_count": "counts__song_id"}
    ordering = "-created_at"

    @classmethod
    def base_queryset(cls, listener: Listener) -> QuerySet[Song]:
        return Song.objects.visible_to(listener)

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet[Song]:
        return song_list(listener)

    @classmethod
    def detail_queryset(cls, listener: Listener) -> QuerySet[Song]:
        analysis = {f"analysis_{name}": F(f"analysis__{name}") for name in ("status", "reason", "lufs", "peak")}
        return cls.list_queryset(listener).annotate(**analysis)

    @extend_schema(responses=CollectedSongSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=CollectedSongSerializer,
        **NEWEST_FIRST,
    )
    def liked(self, request: Request) -> Response:
        """List the songs that the caller likes, last liked first."""
        return self.page_of(likes_of(request.user, self.get_queryset()))

    @extend_schema(responses=CollectedSongSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=CollectedSongSerializer,
        **NEWEST_FIRST,
    )
    def favorites(self, request: Request) -> Response:
        """List the caller's favorite songs, last added first."""
        return self.page_of(favorites_of(request.user, self.get_queryset()))
