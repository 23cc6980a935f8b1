from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from heapq import nlargest
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from music.catalogue.models import Listener, Song
from music.discovery.blend import Candidate, Why, among, first_of, interleaved, varied, with_trending
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind
from music.discovery.neighbours.taste import FAVORITE, LIKE, taste_of
from music.discovery.trending.shelf import trending
from music.library.models import ArtistFollow
from music.library.queries import favorites_of, likes_of
from music.playback.models import Play
from music.playback.plays import recently_played_by
from users.models import User

NEIGHBOURS_LOOKED_AT = 300
# The newest of each, however much there is: a long history costs no more than a short one.
SONGS_REMEMBERED = 100
ARTISTS_REMEMBERED = 10
SONGS_OF_AN_ARTIST = 3
FAVOURITE_GENRES = 3


class Recommendation(NamedTuple):
    """A row of a song, why it is there, and with BECAUSE_YOU_PLAYED the row of the song that it goes with."""

    song: Any
    why: Why
    because_of: Any | None


def recommend(songs: QuerySet, listener: Listener, *, limit: int) -> list[Recommendation]:
    """Of the songs (with `is_favorite`) the best for this listener.

    Of ten, six go with what the listener has played, liked or kept, two are of followed artists and two of favourite
    genres, as far as there are such; the rest is trending. Favourites never come, what was heard before comes last.
    """
    unkept = songs.filter(is_favorite=False)
    if not listener.is_authenticated:
        return _with_reasons(songs, with_trending([], limit, unkept))
    genre_of, strengths = _history(songs, listener)
    taste = taste_of(strengths)
    fresh = unkept.exclude(pk__in=taste)
    neighbours = neighbours_of(taste, kind=ItemKind.SONG, limit=NEIGHBOURS_LOOKED_AT)
    blend = interleaved(
        (6, among(fresh, neighbours)),
        (2, _of_followed_artists(fresh, listener)),
        (2, _of_genres(fresh, _favourite_genres(taste, genre_of), limit)),
    )
    return _with_reasons(songs, with_trending(varied(blend), limit, fresh, unkept))


def _history(songs: QuerySet[Song], listener: User) -> tuple[dict[UUID, UUID | None], dict[UUID, float]]:
    """The songs that the listener did something with last: their genres, and how much it was, in plays."""
    deeds = [
        (recently_played_by(listener, songs), "-played_at", 0),  # its plays are counted below
        (likes_of(listener, songs), "-added_at", LIKE),
        (favorites_of(listener, songs), "-added_at", FAVORITE),
    ]
    genre_of: dict[UUID, UUID | None] = {}
    strengths: dict[UUID, float] = defaultdict(float)
    for rows, newest_first, strength in deeds:
        for song, genre in rows.order_by(newest_first).values_list("pk", "genre")[:SONGS_REMEMBERED]:
            genre_of[song] = genre
            strengths[song] += strength
    plays = Play.objects.filter(listener=listener, song__in=list(strengths)).values_list("song")
    for song, number in plays.annotate(number=Count("pk")):
        strengths[song] += number
    return genre_of, strengths


def _of_followed_artists(songs: QuerySet[Song], listener: User) -> list[Candidate]:
    newest = ArtistFollow.objects.filter(follower=listener).order_by("-created_at").values_list("artist", flat=True)
    best_first = F("trend__overall").desc(nulls_last=True)
    theirs = songs.filter(artist__in=list(newest[:ARTISTS_REMEMBERED])).annotate(
        place=Window(RowNumber(), partition_by="artist", order_by=best_first)
    )
    best = theirs.filter(place__lte=SONGS_OF_AN_ARTIST).order_by("place", best_first)
    return first_of(best, ARTISTS_REMEMBERED * SONGS_OF_AN_ARTIST, Why.FOLLOWED_ARTIST)


def _favourite_genres(taste: Mapping[UUID, float], genre_of: Mapping[UUID, UUID | None]) -> list[UUID]:
    weights: dict[UUID, float] = defaultdict(float)
    for song, weight in taste.items():
        if genre := genre_of[song]:
            weights[genre] += weight
    return nlargest(FAVOURITE_GENRES, weights, key=weights.__getitem__)


def _of_genres(songs: QuerySet[Song], genres: Collection[UUID], number: int) -> list[Candidate]:
    return first_of(trending(songs.filter(genre__in=genres)), number, Why.FAVOURITE_GENRE) if genres else []


def _with_reasons(songs: QuerySet[Song], chosen: Sequence[Candidate]) -> list[Recommendation]:
    ids = {pk for candidate in chosen for pk in (candidate.song, candidate.because_of) if pk}
    rows = {row.pk: row for row in songs.filter(pk__in=ids)}
    return [
        Recommendation(rows[candidate.song], candidate.why, rows.get(candidate.because_of))
        for candidate in chosen
        if candidate.song in rows
    ]
