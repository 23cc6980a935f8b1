"""Shelves: lists that are computed and bounded, so they have no next page."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.models import Song
from music.discovery.random_songs import draw
from music.discovery.trending.refreshing import refresh_if_stale
from music.discovery.trending.shelf import trending
from music.filters.fields import IdOrNameFilter
from music.library.state import songs_as_seen_by
from music.serializers.shelves import TrendingQuerySerializer
from music.serializers.songs import SongSerializer
from music.viewsets.base import PageViewSet, rows_for_anybody
from music.viewsets.keeping import for_anybody

SHELF: dict[str, Any] = {"detail": False, "filterset_class": None, "orderings": {}}


class ShelfActions(PageViewSet):
    @extend_schema(parameters=[TrendingQuerySerializer], responses=SongSerializer(many=True))
    @action(**SHELF)
    @for_anybody
    def trending(self, request: Request) -> Response:
        """What is played and liked, recent deeds weighing more. At most a minute behind."""
        query = TrendingQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        refresh_if_stale()
        songs = IdOrNameFilter("genre", name="title_folded").filter(self.public_songs(), given.get("genre"))
        return self.page_of(trending(songs, given["time_range"]))

    @extend_schema(responses=SongSerializer(many=True))
    @action(**SHELF)
    def random(self, request: Request) -> Response:
        """Public songs, each as likely as any other and none twice."""
        response = self.page_of(draw(self.public_songs(), self.paginator.asked_limit(request)))
        response["Cache-Control"] = "private, no-store"
        return response

    def public_songs(self) -> QuerySet[Song]:
        listener = self.request.user
        if not listener.is_authenticated:
            return SongSerializer.read(rows_for_anybody(type(self)))
        return SongSerializer.read(songs_as_seen_by(listener, Song.objects.public_for(listener)))
