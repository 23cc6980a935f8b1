from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from music.api.base import UUID_REGEX, PageViewSet
from music.catalogue.api.artist_filters import ArtistFilter
from music.catalogue.api.artist_serializers import ArtistSerializer, FollowedArtistSerializer, FollowerSerializer
from music.catalogue.api.permissions import IsArtist
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.artists import with_totals
from music.catalogue.models import Listener, Song
from music.library import collections as collecting
from music.library.api.serializers import FollowStateSerializer
from music.library.queries import artist_list, with_caller_state
from users.models import User

TOP_SONGS = 10
NEWEST_FIRST = {
    "filterset_class": None,
    "orderings": {"followed_at": "followed_at"},
    "ordering": "-followed_at",
}


class ArtistProfileSerializer(ArtistSerializer):
    total_plays = serializers.IntegerField()
    total_likes = serializers.IntegerField()
    top_songs = SongSerializer(many=True)

    class Meta(ArtistSerializer.Meta):
        fields = [*ArtistSerializer.Meta.fields, "total_plays", "total_likes", "top_songs"]

    def to_representation(self, artist: Any) -> dict[str, Any]:
        listener = self.context["request"].user
        songs = with_caller_state(listener, Song.objects.public_for(listener).filter(artist=artist))
        top = songs.order_by("-play_count", "-pk")[:TOP_SONGS]
        return super().to_representation(artist) | {
            "total_plays": artist.total_plays,
            "total_likes": artist.total_likes,
            "top_songs": SongSerializer(SongSerializer.read(top), many=True, context=self.context).data,
        }


class ArtistViewSet(PageViewSet):
    lookup_value_regex = UUID_REGEX
    serializer_class = ArtistSerializer
    filterset_class = ArtistFilter
    orderings = {"name": "name_folded", "follower_count": "counts__follower_count", "date_joined": "date_joined"}
    tie_breakers = {"follower_count": "counts__artist_id"}
    ordering = "name"

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.artists()

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet[User]:
        return artist_list(listener)

    @extend_schema(
        request=None,
        responses={
            201: FollowStateSerializer,
            200: OpenApiResponse(FollowStateSerializer, "Followed already."),
        },
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def follow(self, request: Request, pk: str) -> Response:
        """Follow the artist."""
        is_new = collecting.follow(self.get_object(), follower=request.user)
        return Response({"is_following": True}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=None, responses={204: None})
    @follow.mapping.delete
    def unfollow(self, request: Request, pk: str) -> Response:
        """Follow the artist no longer."""
        collecting.unfollow(self.get_object(), follower=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=FollowedArtistSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=FollowedArtistSerializer,
        **NEWEST_FIRST,
    )
    def following(self, request: Request) -> Response:
        """The artists that the caller follows, newest first."""
        return self.page_of(collecting.artists_followed_by(request.user, self.get_rows()))

    @extend_schema(responses=FollowerSerializer(many=True))
    @action(detail=False, permission_classes=[IsArtist], serializer_class=FollowerSerializer, **NEWEST_FIRST)
    def followers(self, request: Request) -> Response:
        """Who follows the caller, newest first. For artists."""
        return self.page_of(collecting.followers_of(request.user))

    @extend_schema(responses=ArtistProfileSerializer)
    @action(detail=True, filterset_class=None, serializer_class=ArtistProfileSerializer)
    def profile(self, request: Request, pk: str) -> Response:
        """The artist, with totals over their public songs and the songs that are played most."""
        artist = get_object_or_404(with_totals(self.get_rows(), request.user), pk=pk)
        return Response(self.get_serializer(artist).data)

    @extend_schema(responses=SongSerializer(many=True))
    @action(
        detail=True,
        filterset_class=None,
        serializer_class=SongSerializer,
        orderings={"created_at": "created_at"},
        ordering="-created_at",
    )
    def songs(self, request: Request, pk: str) -> Response:
        """The artist's songs that the caller may see, newest first."""
        songs = Song.objects.visible_to(request.user).filter(artist=self.get_object())
        return self.page_of(with_caller_state(request.user, songs))
