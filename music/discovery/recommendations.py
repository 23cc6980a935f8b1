"""Recommendations for a listener, each with its reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from music.catalogue.models import Listener, Song
from music.discovery.blend import (
    Candidate,
    Reason,
    filled_with_trending,
    first_candidates,
    interleaved,
    neighbour_candidates,
    spread_by_artist,
)
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind
from music.discovery.neighbours.taste import FAVORITE, LIKE, taste_of
from music.discovery.trending.queries import trending
from music.library.models import ArtistFollow
from music.library.queries import favorites_of, likes_of
from music.playback.models import Play
from music.playback.plays import recently_played_by
from users.models import User

MAX_NEIGHBOURS = 300
# Only the newest songs and follows are read, so that a long history costs no more than a short one.
MAX_SONGS = 100
MAX_ARTISTS = 10
SONGS_PER_ARTIST = 3
FAVORITE_GENRES = 3


class Recommendation(NamedTuple):
    """A row of a song, the reason, and for BECAUSE_YOU_PLAYED the row of the song that it is a neighbour of."""

    song: Any
    reason: Reason
    because_of: Any | None


def recommend(songs: QuerySet, listener: Listener, *, limit: int) -> list[Recommendation]:
    """Return the best of the songs (annotated with `is_favorite`) for this listener.

    Of ten songs, six are neighbours of songs that the listener played, liked or favorited, two are by followed artists
    and two of favorite genres, as far as there are any; trending songs fill the rest. Favorites are never recommended,
    songs heard before only if there is nothing else.
    """
    not_favorite = songs.filter(is_favorite=False)
    if not listener.is_authenticated:
        return _with_reasons(songs, filled_with_trending([], limit, not_favorite))
    genre_of, strengths = _history(songs, listener)
    taste = taste_of(strengths)
    fresh = not_favorite.exclude(pk__in=taste)
    genres = _favorite_genres(taste, genre_of)
    of_genres = trending(fresh.filter(genre__in=genres))
    neighbours = neighbours_of(taste, kind=ItemKind.SONG, limit=MAX_NEIGHBOURS)
    blend = interleaved(
        (6, neighbour_candidates(fresh, neighbours)),
        (2, _of_followed_artists(fresh, listener)),
        (2, first_candidates(of_genres, limit, Reason.FAVORITE_GENRE) if genres else []),
    )
    return _with_reasons(songs, filled_with_trending(spread_by_artist(blend), limit, fresh, not_favorite))


def _history(songs: QuerySet[Song], listener: User) -> tuple[dict[UUID, UUID | None], dict[UUID, float]]:
    """Return the genres and the strengths (in plays) of the songs that the listener last played, liked or favorited."""
    sources = [
        (recently_played_by(listener, songs), "-played_at", 0),  # plays are counted below
        (likes_of(listener, songs), "-added_at", LIKE),
        (favorites_of(listener, songs), "-added_at", FAVORITE),
    ]
    genre_of: dict[UUID, UUID | None] = {}
    strengths: dict[UUID, float] = defaultdict(float)
    for rows, newest_first, strength in sources:
        for song, genre in rows.order_by(newest_first).values_list("pk", "genre")[:MAX_SONGS]:
            genre_of[song] = genre
            strengths[song] += strength
    plays = Play.objects.filter(listener=listener, song__in=list(strengths)).values_list("song")
    for song, number in plays.annotate(number=Count("pk")):
        strengths[song] += number
    return genre_of, strengths


def _of_followed_artists(songs: QuerySet[Song], listener: User) -> list[Candidate]:
    """Return the best songs of the artists followed last: the best of each, then the second of each, and so on."""
    newest = ArtistFollow.objects.filter(follower=listener).order_by("-created_at").values_list("artist", flat=True)
    best_first = F("trend__overall").desc(nulls_last=True)
    theirs = songs.filter(artist__in=list(newest[:MAX_ARTISTS])).annotate(
        place=Window(RowNumber(), partition_by="artist", order_by=best_first)
    )
    best = theirs.filter(place__lte=SONGS_PER_ARTIST).order_by("place", best_first)
    return first_candidates(best, MAX_ARTISTS * SONGS_PER_ARTIST, Reason.FOLLOWED_ARTIST)


def _favorite_genres(taste: Mapping[UUID, float], genre_of: Mapping[UUID, UUID | None]) -> list[UUID]:
    """Return the genres whose songs weigh most in the taste, heaviest first."""
    weights: dict[UUID, float] = defaultdict(float)
    for song, weight in taste.items():
        if genre := genre_of[song]:
            weights[genre] += weight
    return nlargest(FAVORITE_GENRES, weights, key=weights.__getitem__)


def _with_reasons(songs: QuerySet[Song], candidates: Sequence[Candidate]) -> list[Recommendation]:
    """Load the rows of the candidates and of the songs that they are neighbours of. One query."""
    ids = {pk for candidate in candidates for pk in (candidate.song, candidate.because_of) if pk}
    rows = {row.pk: row for row in songs.filter(pk__in=ids)}
    return [
        Recommendation(rows[candidate.song], candidate.reason, rows.get(candidate.because_of))
        for candidate in candidates
        if candidate.song in rows
    ]
