from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from music.catalogue.api.song_serializers import SongSerializer
from music.catalogue.artists import visible_artists
from music.catalogue.models import Genre, Song
from music.discovery.api.recommendation_serializers import RadioQuerySerializer, RecommendedSongSerializer
from music.discovery.api.song_lists import COMPUTED_LIST, SongListActions
from music.discovery.radio import songs_like, songs_like_those_of, songs_of_genre
from music.discovery.recommendations import recommend
from music.discovery.trending.refresh import refresh_if_stale


class RecommendationActions(SongListActions):
    @extend_schema(responses=RecommendedSongSerializer(many=True))
    @action(**COMPUTED_LIST, serializer_class=RecommendedSongSerializer)
    def recommendations(self, request: Request) -> Response:
        """List songs for the caller, each with the reason: from plays, likes, favorites and follows, else trending."""
        refresh_if_stale(afterwards=self.afterwards.append)
        limit = self.paginator.get_limit(request)
        return self.page_of(recommend(self.public_songs(), request.user, limit=limit))

    @extend_schema(responses=SongSerializer(many=True))
    @action(**{**COMPUTED_LIST, "detail": True})
    def similar(self, request: Request, pk: str) -> Response:
        """List songs similar to this one, best first."""
        return self._similar_songs(songs_like, self.get_object())

    @extend_schema(
        parameters=[RadioQuerySerializer],
        responses=SongSerializer(many=True),
    )
    @action(**COMPUTED_LIST)
    def radio(self, request: Request) -> Response:
        """List songs similar to a song, an artist or a genre.

        To get more, send the ids of the songs received so far in `exclude`.
        """
        query = RadioQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        exclude = query.validated_data.pop("exclude", ())
        seeds: dict[str, tuple[Callable, QuerySet]] = {
            "seed_song": (songs_like, Song.objects.visible_to(request.user)),
            "seed_artist": (songs_like_those_of, visible_artists()),
            "seed_genre": (songs_of_genre, Genre.objects.all()),
        }
        [(name, pk)] = query.validated_data.items()
        find_songs, visible = seeds[name]
        return self._similar_songs(find_songs, get_object_or_404(visible, pk=pk), exclude=exclude)

    def _similar_songs(self, find_songs: Callable, seed: Any, **options: Any) -> Response:
        refresh_if_stale(afterwards=self.afterwards.append)
        limit = self.paginator.get_limit(self.request)
        return self.page_of(find_songs(seed, self.public_songs(), limit=limit, **options))
