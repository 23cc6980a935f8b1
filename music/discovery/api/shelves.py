"""Shelves: lists that are computed and bounded, so they have no next page."""

from collections.abc import Callable, Hashable
from typing import Any

from django.db.models import F, IntegerField, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.anonymous_cache import cached_for_anonymous
from core.db.compiled import ArrayOf, IsInArray, Param
from music.api.base import PageViewSet
from music.catalogue.api.filters import IdOrNameFilter
from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.models import Listener, Song
from music.discovery.api.shelf_serializers import TrendingQuerySerializer
from music.discovery.random_songs import draw
from music.discovery.trending.refresh import refresh_if_stale
from music.discovery.trending.shelf import TimeRange, trending
from music.library.queries import with_caller_state

SHELF: dict[str, Any] = {"detail": False, "filterset_class": None, "orderings": {}}


def public_rows(listener: Listener) -> QuerySet[Song]:
    return with_caller_state(listener, Song.objects.public_for(listener))


class ShelfActions(PageViewSet):
    @extend_schema(parameters=[TrendingQuerySerializer], responses=SongSerializer(many=True))
    @action(**SHELF)
    @cached_for_anonymous
    def trending(self, request: Request) -> Response:
        """What is played and liked, recent deeds weighing more. At most a minute behind."""
        time_range, genre = self._asked_trends(request)
        refresh_if_stale(afterwards=self.afterwards.append)
        if genre:
            songs = IdOrNameFilter("genre", name="title_folded").filter(self.public_songs(), genre)
            return self.page_of(trending(songs, time_range))
        limit = self.paginator.get_limit(request)
        return self.page_of(self.read_public((time_range, limit), lambda songs: trending(songs, time_range)[:limit]))

    def _asked_trends(self, request: Request) -> tuple[str, str | None]:
        """The range of time and the genre."""
        if not request.query_params:
            return TimeRange.ALL, None
        query = TrendingQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return query.validated_data["time_range"], query.validated_data.get("genre")

    @extend_schema(responses=SongSerializer(many=True))
    @action(**SHELF)
    def random(self, request: Request) -> Response:
        """Public songs, each as likely as any other and none twice."""
        response = self.page_of(draw(self.numbered_songs, self.paginator.get_limit(request)))
        response["Cache-Control"] = "private, no-store"
        return response

    def public_songs(self) -> QuerySet[Song]:
        return SongSerializer.read(public_rows(self.request.user))

    def read_public(self, shape: Hashable, choose: Callable[[QuerySet], QuerySet], **given: Any) -> list:
        """Those of the public songs that `choose` takes, by SQL that is kept under the name of its shape."""
        rows = self.compiled_queryset(public_rows, SongSerializer)
        return rows.read(shape, choose, {"user": self.request.user.pk, **given})

    def numbered_songs(self, numbers: list[int]) -> list:
        among = IsInArray(F("number"), Param("numbers", ArrayOf(IntegerField())))
        return self.read_public("numbered", lambda songs: songs.filter(among), numbers=numbers)
