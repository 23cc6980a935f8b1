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
from music.discovery.api.shelves import SHELF, ShelfActions
from music.discovery.radio import songs_like, songs_like_those_of, songs_of_genre
from music.discovery.recommendations import recommend
from music.discovery.trending.refresh import refresh_if_stale


class RecommendationActions(ShelfActions):
    @extend_schema(responses=RecommendedSongSerializer(many=True))
    @action(**SHELF, serializer_class=RecommendedSongSerializer)
    def recommendations(self, request: Request) -> Response:
        """From what the caller plays, likes, keeps and follows, each song with its reason; else what is trending."""
        refresh_if_stale(afterwards=self.afterwards.append)
        limit = self.paginator.get_limit(request)
        return self.page_of(recommend(self.public_songs(), request.user, limit=limit))

    @extend_schema(responses=SongSerializer(many=True))
    @action(**{**SHELF, "detail": True})
    def similar(self, request: Request, pk: str) -> Response:
        """Songs that go with this one, best first."""
        return self.shelf_after(songs_like, self.get_object())

    @extend_schema(
        parameters=[RadioQuerySerializer],
        responses=SongSerializer(many=True),
    )
    @action(**SHELF)
    def radio(self, request: Request) -> Response:
        """Songs that go with a song, an artist or a genre. With those that came already in `exclude` it goes on."""
        query = RadioQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        exclude = query.validated_data.pop("exclude", ())
        seeds: dict[str, tuple[Callable, QuerySet]] = {
            "seed_song": (songs_like, Song.objects.visible_to(request.user)),
            "seed_artist": (songs_like_those_of, visible_artists()),
            "seed_genre": (songs_of_genre, Genre.objects.all()),
        }
        [(name, pk)] = query.validated_data.items()
        go_on_from, known = seeds[name]
        return self.shelf_after(go_on_from, get_object_or_404(known, pk=pk), exclude=exclude)

    def shelf_after(self, go_on_from: Callable, seed: Any, **given: Any) -> Response:
        refresh_if_stale(afterwards=self.afterwards.append)
        limit = self.paginator.get_limit(self.request)
        return self.page_of(go_on_from(seed, self.public_songs(), limit=limit, **given))
