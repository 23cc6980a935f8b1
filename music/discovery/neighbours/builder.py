"""The hourly build of the table of neighbours from plays, likes and favorites."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from heapq import merge, nlargest
from itertools import groupby, islice
from operator import itemgetter
from uuid import UUID

from django.db.models import Count, Value
from django.utils import timezone
from django_tasks import task

from core.jobs.schedule import has_queue, schedule
from music.catalogue.models import Song
from music.discovery.neighbours.models import ItemKind, Neighbour
from music.discovery.neighbours.taste import FAVORITE, LIKE, taste_of
from music.library.models import FavoriteSong, SongLike
from music.playback.models import Play

EVERY = timedelta(hours=1)
PLAYS_OF = timedelta(days=365)
ITEMS_OF_A_LISTENER = 100
ROWS_AT_ONCE = 2000


def build_neighbours(tastes: Iterable[Mapping[UUID, float]], *, kind: ItemKind) -> int:
    """Learn neighbours from the tastes and replace the table's rows of this kind. Return the number of rows.

    Rows are written in small transactions, so readers and other writers never wait long. Until the end, readers may
    see old and new rows side by side. Two builds at once do no harm.
    """
    # Imported here, because numpy takes memory and time to load and the processes that serve requests do not need it.
    # The build solves many small systems of equations, for which BLAS threads only get in one another's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from music.discovery.neighbours.similarity import learn_neighbours

    began, written = timezone.now(), 0
    rows = (
        Neighbour(kind=kind, item=item, neighbour=neighbour, weight=weight, built_at=began)
        for item, neighbour, weight in learn_neighbours(tastes)
    )
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        Neighbour.objects.bulk_create(
            batch,
            update_conflicts=True,
            unique_fields=["kind", "item", "neighbour"],
            update_fields=["weight", "built_at"],
        )
        written += len(batch)
    Neighbour.objects.filter(kind=kind, built_at__lt=began).delete()
    return written


def tastes_in_songs() -> Iterator[dict[UUID, float]]:
    """Yield the taste of each listener in public songs.

    Listeners come in the order of their ids, which are random, so the first ones are a fair sample.
    """
    plays = Play.objects.filter(at__gte=timezone.now() - PLAYS_OF)
    signals = [
        plays.values("listener", "song").annotate(strength=Count("pk")),
        SongLike.objects.annotate(strength=Value(LIKE)),
        FavoriteSong.objects.annotate(strength=Value(FAVORITE)),
    ]
    of_public_songs = [rows.filter(song__in=Song.objects.public()).order_by("listener") for rows in signals]
    streams = [rows.values_list("listener", "song", "strength").iterator() for rows in of_public_songs]
    # Merging sorted streams keeps only one listener's rows in memory.
    for _, rows in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        strengths: dict[UUID, float] = {}
        for _, song, strength in rows:
            strengths[song] = strengths.get(song, 0) + strength
        yield taste_of(dict(nlargest(ITEMS_OF_A_LISTENER, strengths.items(), key=itemgetter(1))))


def build_song_neighbours() -> int:
    return build_neighbours(tastes_in_songs(), kind=ItemKind.SONG)


@task(queue_name="upkeep")
def build_hourly() -> None:
    # Scheduled before the work, so that the next build runs even if this one fails.
    schedule(build_hourly, after=EVERY)
    build_song_neighbours()


def schedule_hourly_build(using: str, **kwargs: object) -> None:
    """Receiver for post_migrate, which each deployment runs: have the worker build neighbours from then on."""
    if has_queue(using):
        schedule(build_hourly)
