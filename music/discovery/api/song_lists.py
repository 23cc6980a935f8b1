"""Computed lists of songs: trending and random. They are bounded, so they have no next page."""

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
from music.discovery.api.trending_serializers import TrendingQuerySerializer
from music.discovery.random_songs import draw
from music.discovery.trending.queries import TimeRange, trending
from music.discovery.trending.refresh import refresh_if_stale
from music.library.queries import with_caller_state

# Arguments of @action. Without orderings the pagination returns one page in the list's own order.
COMPUTED_LIST: dict[str, Any] = {"detail": False, "filterset_class": None, "orderings": {}}


def public_songs_for(listener: Listener) -> QuerySet[Song]:
    return with_caller_state(listener, Song.objects.public_for(listener))


class SongListActions(PageViewSet):
    @extend_schema(parameters=[TrendingQuerySerializer], responses=SongSerializer(many=True))
    @action(**COMPUTED_LIST)
    @cached_for_anonymous
    def trending(self, request: Request) -> Response:
        """List songs by recent plays and likes, the newest weighing most. At most a minute behind."""
        time_range, genre = self._trending_parameters(request)
        refresh_if_stale(afterwards=self.afterwards.append)
        if genre:
            songs = IdOrNameFilter("genre", name="title_folded").filter(self.public_songs(), genre)
            return self.page_of(trending(songs, time_range))
        limit = self.paginator.get_limit(request)
        return self.page_of(self.read_public((time_range, limit), lambda songs: trending(songs, time_range)[:limit]))

    def _trending_parameters(self, request: Request) -> tuple[str, str | None]:
        """Return the time range and the genre."""
        if not request.query_params:
            return TimeRange.ALL, None
        query = TrendingQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return query.validated_data["time_range"], query.validated_data.get("genre")

    @extend_schema(responses=SongSerializer(many=True))
    @action(**COMPUTED_LIST)
    def random(self, request: Request) -> Response:
        """List random public songs, each equally likely and none twice."""
        response = self.page_of(draw(self.songs_by_number, self.paginator.get_limit(request)))
        response["Cache-Control"] = "private, no-store"
        return response

    def public_songs(self) -> QuerySet[Song]:
        return SongSerializer.read(public_songs_for(self.request.user))

    def read_public(self, key: Hashable, choose: Callable[[QuerySet], QuerySet], **params: Any) -> list:
        """Return the public songs that `choose` selects, read by SQL that is compiled once for each key."""
        rows = self.compiled_queryset(public_songs_for, SongSerializer)
        return rows.read(key, choose, {"user": self.request.user.pk, **params})

    def songs_by_number(self, numbers: list[int]) -> list:
        condition = IsInArray(F("number"), Param("numbers", ArrayOf(IntegerField())))
        return self.read_public("numbered", lambda songs: songs.filter(condition), numbers=numbers)
