"""How a song sounds: its bytes, at a quality, to stream or to keep; and its waveform."""

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
from music.streaming.signed_urls import StreamGrant, grant_from
from music.streaming.waveform import points_of
from payments.plans import entitlements_of

RANGE = OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="`bytes=0-65535`")
BYTES = {
    (200, "audio/*"): OpenApiTypes.BINARY,
    (206, "audio/*"): OpenApiResponse(OpenApiTypes.BINARY, description="The bytes that `Range` asked for."),
    302: OpenApiResponse(description="The address of the bytes, where files are kept on S3."),
    304: OpenApiResponse(description="The client has these bytes already (`If-None-Match`)."),
    416: OpenApiResponse(description="There are no such bytes; `Content-Range` says how many there are."),
}
ANSWERS_BYTES = {
    "detail": True,
    "content_negotiation_class": BytesNegotiation,
    "filterset_class": None,
    "pagination_class": None,
}


class SoundActions(PageViewSet):
    @extend_schema(
        parameters=[StreamQuerySerializer, RANGE],
        responses=BYTES,
    )
    @action(permission_classes=[AllowAny], **ANSWERS_BYTES)
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        """The audio at a quality, in ranges if asked for: the upload where it is within, else the best rendition.

        Never above the plan; anonymous callers hear what Free hears. One's own private song needs the signed address
        of `audio_file`.
        """
        song, permit = self._song_to_hear(request, pk)
        asked = asked_quality(request)
        listener = permit.listener if permit else request.user
        signed_quality = permit.quality if permit else None
        audio = file_for(song, listener, signed_quality or asked)
        return deliver(audio.file, content_type=audio.content_type, request=request)

    @extend_schema(
        parameters=[RANGE],
        responses=BYTES,
    )
    @action(permission_classes=[IsAuthenticated], **ANSWERS_BYTES)
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """The best file that the plan allows, to keep, named after artist and title."""
        song = self.get_object()
        allowed = entitlements_of(request.user)
        if not allowed.offline_mode:
            raise PermissionDenied("Your plan has no downloads. Subscribe to have them.", "subscription_required")
        audio = file_within(with_audio(song), allowed.audio_quality)
        disposition = attachment_header(file_name(song, audio.format))
        return deliver(audio.file, content_type=audio.content_type, request=request, disposition=disposition)

    @extend_schema(responses=WaveformSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def waveform(self, request: Request, pk: str) -> Response:
        """The song as a thousand numbers, to draw it."""
        sound = AudioAnalysis.objects.filter(song=self.get_object(), status=Status.READY).first()
        if sound is None:
            raise NotFound("The waveform is not there yet.", "not_ready")
        return Response({"points": points_of(sound.waveform)})

    def _song_to_hear(self, request: Request, pk: str) -> tuple[Song, StreamGrant | None]:
        signature = request.query_params.get("signature")
        permit = grant_from(signature, UUID(pk)) if signature else None
        songs = songs_to_hear(has_task=request.user.is_authenticated, is_permitted=permit is not None)
        given = {"user": request.user.pk, "listener": permit and permit.listener.pk, "pk": UUID(pk)}
        song = songs.first("one", lambda songs: songs.filter(pk=PK_PARAM), given)
        if song is None:
            raise Http404
        if signature and permit is None:
            raise PermissionDenied("This address has ended or was changed. Ask for a new one.", "invalid_signature")
        return with_audio(song), permit


@cache
def songs_to_hear(*, has_task: bool, is_permitted: bool) -> CompiledQuery:
    """Those of `user`, or of the `listener` whom a signed address is for."""
    caller = UserParam() if has_task else AnonymousUser()
    return CompiledQuery(Song.objects.visible_to(UserParam("listener") if is_permitted else caller).allowed_for(caller))


def asked_quality(request: Request) -> str | None:
    if not request.query_params:
        return None
    query = StreamQuerySerializer(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    return query.validated_data.get("quality")


def with_audio(song: Song) -> Song:
    if not song.audio_file:
        raise NotFound("This song has no audio.", "no_audio")
    return song
