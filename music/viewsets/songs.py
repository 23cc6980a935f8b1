from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.audio import CONTENT_TYPES
from music.catalogue.models import Song
from music.catalogue.orderings import RELEASED_FIRST, RELEASED_LAST
from music.filters.songs import SongFilter
from music.library.collecting import kept_by, liked_by
from music.library.state import songs_as_seen_by
from music.serializers.songs import CollectedSongSerializer, SongSerializer, SongWriteSerializer
from music.streaming.delivery import deliver
from music.streaming.signed_urls import listener_of
from music.viewsets.base import BytesNegotiation, CatalogueViewSet
from music.viewsets.library import NEWEST_FIRST, FavoriteActions, LikeActions
from music.viewsets.listening import ListeningActions
from music.viewsets.shelves import ShelfActions


class SongViewSet(LikeActions, FavoriteActions, ListeningActions, ShelfActions, CatalogueViewSet):
    serializer_class = SongSerializer
    write_serializer_class = SongWriteSerializer
    filterset_class = SongFilter
    orderings = {
        "play_count": "counts__play_count",
        "like_count": "counts__like_count",
        "release_date": (RELEASED_FIRST, RELEASED_LAST),
        "created_at": "created_at",
        "title": "title_folded",
    }
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Song]:
        listener = self.request.user
        return songs_as_seen_by(listener, Song.objects.visible_to(listener).with_credits())

    @extend_schema(responses=CollectedSongSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=CollectedSongSerializer,
        **NEWEST_FIRST,
    )
    def liked(self, request: Request) -> Response:
        """The songs that the caller likes, newest first."""
        return self.page_of(liked_by(request.user, self.get_queryset()))

    @extend_schema(responses=CollectedSongSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=CollectedSongSerializer,
        **NEWEST_FIRST,
    )
    def favorites(self, request: Request) -> Response:
        """The caller's favourite songs, newest first."""
        return self.page_of(kept_by(request.user, self.get_queryset()))

    @extend_schema(
        parameters=[
            OpenApiParameter("signature", OpenApiTypes.STR, description="As a signed address has it."),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="`bytes=0-65535`"),
        ],
        responses={
            (200, "audio/*"): OpenApiTypes.BINARY,
            (206, "audio/*"): OpenApiResponse(OpenApiTypes.BINARY, description="The bytes that `Range` asked for."),
            302: OpenApiResponse(description="Where the bytes lie, when they are kept in a bucket."),
            304: OpenApiResponse(description="The client has these bytes already (`If-None-Match`)."),
            416: OpenApiResponse(description="There are no such bytes; `Content-Range` says how many there are."),
        },
    )
    @action(
        detail=True,
        permission_classes=[AllowAny],
        content_negotiation_class=BytesNegotiation,
        filterset_class=None,
        pagination_class=None,
    )
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        """The audio, in ranges if asked for. One's own private song needs the signed address of `audio_file`."""
        song = self._song_to_hear(request, pk)
        if not song.audio_file:
            raise NotFound("This song has no audio.", "no_audio")
        return deliver(song.audio_file, content_type=CONTENT_TYPES[song.audio_format], request=request)

    def _song_to_hear(self, request: Request, pk: str) -> Song:
        signature = request.query_params.get("signature")
        signed_for = listener_of(signature, UUID(pk)) if signature else None
        song = get_object_or_404(Song.objects.visible_to(signed_for or request.user), pk=pk)
        if signature and signed_for is None:
            raise PermissionDenied("This address has ended or was changed. Ask for a new one.", "invalid_signature")
        return song
