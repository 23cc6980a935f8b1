"""The table of neighbours: what it is built from, and that it is built anew each hour."""

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
    """Learns from the tastes and replaces the table's rows of this kind; answers how many there are now.

    Rows are written in small transactions, so readers and other writers never wait long, and a reader may meet old
    and new rows side by side. Two builds at once do no harm.
    """
    # numpy takes memory and time to load, and the processes that serve requests have no use for it. It solves many
    # small systems, where threads only wait for one another.
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
    """What each listener thinks of the public songs. Listeners come by their random ids, so the first are a sample."""
    plays = Play.objects.filter(at__gte=timezone.now() - PLAYS_OF)
    signals = [
        plays.values("listener", "song").annotate(strength=Count("pk")),
        SongLike.objects.annotate(strength=Value(LIKE)),
        FavoriteSong.objects.annotate(strength=Value(FAVORITE)),
    ]
    of_public_songs = [rows.filter(song__in=Song.objects.public()).order_by("listener") for rows in signals]
    streams = [rows.values_list("listener", "song", "strength").iterator() for rows in of_public_songs]
    for _, deeds in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        strengths: dict[UUID, float] = {}
        for _, song, strength in deeds:
            strengths[song] = strengths.get(song, 0) + strength
        yield taste_of(dict(nlargest(ITEMS_OF_A_LISTENER, strengths.items(), key=itemgetter(1))))


def build_song_neighbours() -> int:
    return build_neighbours(tastes_in_songs(), kind=ItemKind.SONG)


@task(queue_name="upkeep")
def build_hourly() -> None:
    # Before the work, so that the next build comes whatever happens to this one.
    schedule(build_hourly, after=EVERY)
    build_song_neighbours()


def schedule_hourly_build(using: str, **kwargs: object) -> None:
    """Receiver for post_migrate, which comes after every start: from then on the worker builds."""
    if has_queue(using):
        schedule(build_hourly)
