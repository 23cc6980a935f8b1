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
from music.library import actions
from music.library.api.serializers import FollowStateSerializer
from music.library.queries import artist_list, artists_followed_by, followers_of, with_caller_state
from users.models import User

TOP_SONGS = 10
NEWEST_FIRST = {
    "filterset_class": None,
    "orderings": {"followed_at": "followed_at"},
    "ordering": "-followed_at",
}


class ArtistProfileSerializer(ArtistSerializer):
    """An artist with totals over their public songs and the TOP_SONGS most played ones."""

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
    """Artists as listeners see them, and follows. Nothing is written here: an artist is an account with a role."""

    lookup_value_regex = UUID_REGEX
    serializer_class = ArtistSerializer
    filterset_class = ArtistFilter
    orderings = {"name": "name_folded", "follower_count": "counts__follower_count", "date_joined": "date_joined"}
    tie_breakers = {"follower_count": "counts__artist_id"}
    ordering = "name"

    @classmethod
    def base_queryset(cls, listener: Listener) -> QuerySet[User]:
        return User.objects.artists()

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet[User]:
        return artist_list(listener)

    @extend_schema(
        request=None,
        responses={
            201: FollowStateSerializer,
            200: OpenApiResponse(FollowStateSerializer, "The caller followed the artist already."),
        },
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def follow(self, request: Request, pk: str) -> Response:
        """Follow the artist. Following again changes nothing."""
        is_new = actions.follow(self.get_object(), follower=request.user)
        return Response({"is_following": True}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=None, responses={204: None})
    @follow.mapping.delete
    def unfollow(self, request: Request, pk: str) -> Response:
        """Stop following the artist. 204 as well if the caller did not."""
        actions.unfollow(self.get_object(), follower=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=FollowedArtistSerializer(many=True))
    @action(
        detail=False,
        permission_classes=[IsAuthenticated],
        serializer_class=FollowedArtistSerializer,
        **NEWEST_FIRST,
    )
    def following(self, request: Request) -> Response:
        """List the artists that the caller follows, last followed first."""
        return self.page_of(artists_followed_by(request.user, self.get_queryset()))

    @extend_schema(responses=FollowerSerializer(many=True))
    @action(detail=False, permission_classes=[IsArtist], serializer_class=FollowerSerializer, **NEWEST_FIRST)
    def followers(self, request: Request) -> Response:
        """List the accounts that follow the caller, newest follower first. Only for artists."""
        return self.page_of(followers_of(request.user))

    @extend_schema(responses=ArtistProfileSerializer)
    @action(detail=True, filterset_class=None, serializer_class=ArtistProfileSerializer)
    def profile(self, request: Request, pk: str) -> Response:
        """Show the artist with the plays and likes of their public songs, and the ten most played ones."""
        artist = get_object_or_404(with_totals(self.list_queryset(request.user), request.user), pk=pk)
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
        """List the artist's songs that the caller may see, newest first."""
        songs = Song.objects.visible_to(request.user).filter(artist=self.get_object())
        return self.page_of(with_caller_state(request.user, songs))
