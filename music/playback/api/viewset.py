from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.row_serializers import origin_of
from music.advertising.play_counter import draw_ad_for_play
from music.api.base import PageViewSet
from music.catalogue.api.song_serializers import PlayedSongSerializer
from music.catalogue.models import Song, SongCounts
from music.library.api.serializers import PlaySerializer, SkipSerializer
from music.playback.plays import forget_history, recently_played_by, record_play
from music.playback.skips import record_skip
from music.streaming.quality import granted_quality
from music.streaming.signed_urls import signed_path
from payments.plans import entitlements_of
from users.models import AudioQuality


class ListeningActions(PageViewSet):
    """Playing songs, and what was played."""

    @extend_schema(request=None, responses=PlaySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def play(self, request: Request, pk: str) -> Response:
        """Play the song: counts it, remembers it, and says where to stream it from.

        A repeat less than 30 seconds after the last counted play does not count.
        """
        song = self.get_object()
        counted = record_play(song, listener=request.user)
        allowed = entitlements_of(request.user)
        has_ad = counted and not allowed.ad_free
        quality = granted_quality(request.user, allowed=allowed)
        has_audio = bool(song.audio_file)
        answer = {
            "play_count": get_object_or_404(SongCounts, song=song).play_count,
            "stream_url": self._signed_url(song, quality) if has_audio else None,
            "quality": quality,
            "expires_at": timezone.now() + settings.STREAM_URL_LIFETIME if has_audio else None,
            "ad": draw_ad_for_play(request.user) if has_ad else None,
        }
        return Response(PlaySerializer(answer, context=self.get_serializer_context()).data)

    def _signed_url(self, song: Song, quality: AudioQuality) -> str:
        listener = self.request.user
        return origin_of(self.request) + signed_path(song.pk, listener=listener, quality=quality)

    @extend_schema(request=None, responses=SkipSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def skip(self, request: Request, pk: str) -> Response:
        """Leave the song before its end. Over the plan's hourly limit: 403, and `Retry-After` in seconds."""
        return Response({"skips_remaining": record_skip(self.get_object(), listener=request.user)})

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
        return self.page_of(recently_played_by(request.user, self.get_rows()))

    @extend_schema(request=None, responses={204: None})
    @recently_played.mapping.delete
    def forget_recently_played(self, request: Request) -> Response:
        """Forget the history. Counts stay."""
        forget_history(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
