from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.models import SongCounts
from music.listening.plays import forget_history, recently_played_by, record_play
from music.serializers.songs import PlayedSongSerializer
from music.serializers.states import PlaySerializer
from music.streaming.signed_urls import signed_url
from music.viewsets.base import PageViewSet
from users.models import UserProfile


class ListeningActions(PageViewSet):
    """Playing songs, and what was played."""

    @extend_schema(request=None, responses=PlaySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def play(self, request: Request, pk: str) -> Response:
        """Play the song: counts it, remembers it, and says where to stream it from.

        A repeat less than 30 seconds after the last counted play does not count.
        """
        song = self.get_object()
        record_play(song, listener=request.user)
        has_audio = bool(song.audio_file)
        answer = {
            "play_count": get_object_or_404(SongCounts, song=song).play_count,
            "stream_url": signed_url(song, request) if has_audio else None,
            "quality": get_object_or_404(UserProfile, user=request.user).audio_quality,
            "expires_at": timezone.now() + settings.STREAM_URL_LIFETIME if has_audio else None,
            "ad": None,
        }
        return Response(PlaySerializer(answer).data)

    @extend_schema(responses=PlayedSongSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=PlayedSongSerializer,
        filterset_class=None,
        orderings={"played_at": "played_at"},
        ordering="-played_at",
    )
    def recently_played(self, request: Request) -> Response:
        """Each song once, last played first."""
        return self.page_of(recently_played_by(request.user, self.get_queryset()))

    @extend_schema(request=None, responses={204: None})
    @recently_played.mapping.delete
    def forget_recently_played(self, request: Request) -> Response:
        """Forget the history. Counts stay."""
        forget_history(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
