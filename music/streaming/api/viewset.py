"""Actions of a song that deliver its audio (stream, download) and its waveform."""

from functools import cache
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.compiled import CompiledQuery, UserParam
from music.api.base import PK_PARAM, BytesNegotiation, PageViewSet
from music.catalogue.models import Song
from music.streaming.api.serializers import StreamQuerySerializer, WaveformSerializer
from music.streaming.delivery import deliver
from music.streaming.downloads import attachment_header, file_name
from music.streaming.models import AudioAnalysis, Status
from music.streaming.quality import file_for, file_within
from music.streaming.signed_urls import StreamGrant, read_grant
from music.streaming.waveform import points_of
from payments.plans import entitlements_of

RANGE = OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="`bytes=0-65535`")
BYTES = {
    (200, "audio/*"): OpenApiTypes.BINARY,
    (206, "audio/*"): OpenApiResponse(OpenApiTypes.BINARY, description="The bytes in the requested `Range`."),
    302: OpenApiResponse(description="Redirect to the file, if files are stored on S3."),
    304: OpenApiResponse(description="The client has the current file already (`If-None-Match`)."),
    416: OpenApiResponse(description="The range is outside the file; `Content-Range` has the file's size."),
}
BYTES_ACTION = {
    "detail": True,
    "content_negotiation_class": BytesNegotiation,
    "filterset_class": None,
    "pagination_class": None,
}


class StreamingActions(PageViewSet):
    @extend_schema(
        parameters=[StreamQuerySerializer, RANGE],
        responses=BYTES,
    )
    @action(permission_classes=[AllowAny], **BYTES_ACTION)
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        """Stream the audio at a quality: the original if its bitrate is low enough, else the best rendition.

        Ranges are supported. The quality is limited by the listener's plan, for anonymous callers by the Free plan. A
        private song needs its artist's credentials or the signed URL in `audio_file`.
        """
        song, grant = self._get_streamable_song(request, pk)
        requested = requested_quality(request)
        listener = grant.listener if grant else request.user
        signed_quality = grant.quality if grant else None
        audio = file_for(song, listener, signed_quality or requested)
        return deliver(audio.file, content_type=audio.content_type, request=request)

    @extend_schema(
        parameters=[RANGE],
        responses=BYTES,
    )
    @action(permission_classes=[IsAuthenticated], **BYTES_ACTION)
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Download the best file that the caller's plan allows, named after artist and title."""
        song = self.get_object()
        allowed = entitlements_of(request.user)
        if not allowed.offline_mode:
            raise PermissionDenied(
                "Your plan does not include downloads. Subscribe to a plan that does.", "subscription_required"
            )
        audio = file_within(require_audio(song), allowed.audio_quality)
        disposition = attachment_header(file_name(song, audio.format))
        return deliver(audio.file, content_type=audio.content_type, request=request, disposition=disposition)

    @extend_schema(responses=WaveformSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def waveform(self, request: Request, pk: str) -> Response:
        """Return the song's waveform: a thousand peaks from 0 to 1, for drawing it."""
        analysis = AudioAnalysis.objects.filter(song=self.get_object(), status=Status.READY).first()
        if analysis is None:
            raise NotFound("The waveform is not ready yet. Try again in a minute.", "not_ready")
        return Response({"points": points_of(analysis.waveform)})

    def _get_streamable_song(self, request: Request, pk: str) -> tuple[Song, StreamGrant | None]:
        """Return the song and what its signed URL grants, if there is a signature."""
        signature = request.query_params.get("signature")
        grant = read_grant(signature, UUID(pk)) if signature else None
        songs = streamable_songs(is_authenticated=request.user.is_authenticated, is_granted=grant is not None)
        parameters = {"user": request.user.pk, "listener": grant and grant.listener.pk, "pk": UUID(pk)}
        song = songs.first("one", lambda songs: songs.filter(pk=PK_PARAM), parameters)
        if song is None:
            raise Http404
        # Only now: with an invalid signature a song that the caller may not see is a 404, as it is without one.
        if signature and grant is None:
            raise PermissionDenied("This URL has expired or was changed. Request a new one.", "invalid_signature")
        return require_audio(song), grant


@cache
def streamable_songs(*, is_authenticated: bool, is_granted: bool) -> CompiledQuery:
    """Return the query of songs visible to the parameter `user`, or to `listener` if a signed URL was granted to them.

    A caller who is a child does not hear explicit songs, even by a signed URL of another listener.
    """
    caller = UserParam() if is_authenticated else AnonymousUser()
    return CompiledQuery(Song.objects.visible_to(UserParam("listener") if is_granted else caller).allowed_for(caller))


def requested_quality(request: Request) -> str | None:
    # Most requests have no query string, and need no serializer.
    if not request.query_params:
        return None
    query = StreamQuerySerializer(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    return query.validated_data.get("quality")


def require_audio(song: Song) -> Song:
    """Return the song. Raise NotFound if it was imported without audio."""
    if not song.audio_file:
        raise NotFound("This song has no audio.", "no_audio")
    return song
