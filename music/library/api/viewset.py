"""What a listener does with songs and albums: actions that the viewsets of these resources share."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import PageViewSet
from music.library import collections as collecting
from music.library.api.serializers import FavoriteStateSerializer, LikeStateSerializer

DEED = {"detail": True, "methods": ["post"], "permission_classes": [IsAuthenticated]}
NEWEST_FIRST = {"filterset_class": None, "orderings": {"added_at": "added_at"}, "ordering": "-added_at"}


class FavoriteActions(PageViewSet):
    """Keeping a song or an album, and the list of those that are kept."""

    @extend_schema(
        request=None,
        responses={
            201: FavoriteStateSerializer,
            200: OpenApiResponse(FavoriteStateSerializer, "A favorite already."),
        },
    )
    @action(**DEED)
    def favorite(self, request: Request, pk: str) -> Response:
        """Make it a favourite."""
        is_new = collecting.add_favorite(self.get_object(), listener=request.user)
        return Response({"is_favorite": True}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=None, responses={204: None})
    @favorite.mapping.delete
    def remove_favorite(self, request: Request, pk: str) -> Response:
        """No favourite any more, had it been one or not."""
        collecting.remove_favorite(self.get_object(), listener=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LikeActions(PageViewSet):
    @extend_schema(request=None, responses=LikeStateSerializer)
    @action(**DEED)
    def like(self, request: Request, pk: str) -> Response:
        """Like the song. Liking it again changes nothing."""
        collecting.like(self.get_object(), listener=request.user)
        return self._like_state()

    @extend_schema(request=None, responses=LikeStateSerializer)
    @action(**DEED)
    def unlike(self, request: Request, pk: str) -> Response:
        """Take a like back. Without one nothing changes."""
        collecting.unlike(self.get_object(), listener=request.user)
        return self._like_state()

    def _like_state(self) -> Response:
        song = get_object_or_404(self.get_rows(), pk=self.kwargs["pk"])
        return Response({"is_liked": song.is_liked, "like_count": song.like_count})
