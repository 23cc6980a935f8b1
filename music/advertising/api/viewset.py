from pathlib import PurePath

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from music.advertising.api.serializers import AdSerializer
from music.advertising.models import Ad
from music.advertising.play_counter import count_once
from music.api.base import UUID_REGEX, BytesNegotiation
from music.catalogue.audio import CONTENT_TYPES
from music.streaming.api.viewset import BYTES, RANGE
from music.streaming.delivery import deliver


class AdViewSet(GenericViewSet):
    """Impressions, clicks and audio of the ads that `play` answers with. Ads are managed in the admin."""

    lookup_value_regex = UUID_REGEX
    queryset = Ad.objects.all()
    serializer_class = AdSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def impression(self, request: Request, pk: str) -> Response:
        """Count an impression: once for each time `play` gave the ad to the caller. Further ones change nothing."""
        count_once(self.get_object(), "impressions", listener=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def click(self, request: Request, pk: str) -> Response:
        """Count a click: once for each time `play` gave the ad to the caller. Further ones change nothing."""
        count_once(self.get_object(), "clicks", listener=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[RANGE], responses=BYTES)
    @action(detail=True, permission_classes=[AllowAny], content_negotiation_class=BytesNegotiation)
    def audio(self, request: Request, pk: str) -> HttpResponseBase:
        """Send the ad's audio, or the range of it that the request asks for."""
        audio = self.get_object().audio
        return deliver(audio, content_type=CONTENT_TYPES[PurePath(audio.name).suffix[1:]], request=request)
