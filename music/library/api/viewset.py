"""Likes and favorites: actions that the viewsets of songs and albums mix in."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import PageViewSet
from music.library import actions
from music.library.api.serializers import FavoriteStateSerializer, LikeStateSerializer

# Options of `@action` that several actions share.
POST_ON_ONE_ROW = {"detail": True, "methods": ["post"], "permission_classes": [IsAuthenticated]}
NEWEST_FIRST = {"filterset_class": None, "orderings": {"added_at": "added_at"}, "ordering": "-added_at"}


class FavoriteActions(PageViewSet):
    """Add a song or an album to the caller's favorites, and remove it."""

    @extend_schema(
        request=None,
        responses={
            201: FavoriteStateSerializer,
            200: OpenApiResponse(FavoriteStateSerializer, "It was a favorite already."),
        },
    )
    @action(**POST_ON_ONE_ROW)
    def favorite(self, request: Request, pk: str) -> Response:
        """Add it to the caller's favorites."""
        is_new = actions.add_favorite(self.get_object(), listener=request.user)
        return Response({"is_favorite": True}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=None, responses={204: None})
    @favorite.mapping.delete
    def remove_favorite(self, request: Request, pk: str) -> Response:
        """Remove it from the caller's favorites. 204 as well if it was not one of them."""
        actions.remove_favorite(self.get_object(), listener=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LikeActions(PageViewSet):
    @extend_schema(request=None, responses=LikeStateSerializer)
    @action(**POST_ON_ONE_ROW)
    def like(self, request: Request, pk: str) -> Response:
        """Like the song. Liking it again changes nothing."""
        actions.like(self.get_object(), listener=request.user)
        return self.like_state()

    @extend_schema(request=None, responses=LikeStateSerializer)
    @action(**POST_ON_ONE_ROW)
    def unlike(self, request: Request, pk: str) -> Response:
        """Remove the caller's like. Without one nothing changes."""
        actions.unlike(self.get_object(), listener=request.user)
        return self.like_state()

    def like_state(self) -> Response:
        song = get_object_or_404(self.list_queryset(self.request.user), pk=self.kwargs["pk"])
        return Response({"is_liked": song.is_liked, "like_count": song.like_count})
