from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import PageViewSet
from music.catalogue.api.song_serializers import PlayedSongSerializer
from music.playback.api.serializers import PlaySerializer, SkipSerializer
from music.playback.plays import clear_recently_played, recently_played_by, start_playback
from music.playback.skips import record_skip


class PlaybackActions(PageViewSet):
    """Plays, skips and the recently played songs of the caller: actions that the viewset of songs mixes in."""

    @extend_schema(request=None, responses=PlaySerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def play(self, request: Request, pk: str) -> Response:
        """Record a play of the song, and answer with the address of its audio.

        A repeat within 30 seconds of the last counted play does not count.
        """
        playback = start_playback(self.get_object(), listener=request.user)
        return Response(PlaySerializer(playback, context=self.get_serializer_context()).data)

    @extend_schema(request=None, responses=SkipSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def skip(self, request: Request, pk: str) -> Response:
        """Record that the song was left before its end. Over the plan's hourly limit: 403 with `Retry-After`."""
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
        """List the songs that the caller has played, each once, last played first."""
        return self.page_of(recently_played_by(request.user, self.get_queryset()))

    @extend_schema(request=None, responses={204: None})
    @recently_played.mapping.delete
    def forget_recently_played(self, request: Request) -> Response:
        """Clear the caller's recently played. Play counts stay."""
        clear_recently_played(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
