import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import models, transaction
from django.db.models import Aggregate, Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from music.models import Album, ArtistCounts, ArtistFollow, Play, Song, SongCounts, SongLike
from users.models import Role, User


@dataclass(frozen=True)
class Counter:
    """A number that is kept, and the rows that it has to agree with."""

    kept_in: type[models.Model]
    name: str
    rows: QuerySet
    of: str
    key: str | None = None  # of whom it is counted; `of`, where it is kept beside and not in that row itself
    counting: Aggregate | None = None
    starting_value: str | None = None

    def wrong(self) -> QuerySet:
        """Rows whose number differs, with `counted`. One statement, so one view of the data even under load."""
        rows = self.rows.filter(**{self.of: OuterRef(self.key or self.of)}).order_by().values(self.of)
        counted: Combinable = Coalesce(Subquery(rows.annotate(n=self.counting or Count("pk")).values("n")), 0)
        if self.starting_value:
            counted = F(self.starting_value) + counted
        return self.kept_in._default_manager.annotate(counted=counted).exclude(counted=F(self.name))


COUNTERS = [
    Counter(SongCounts, "play_count", Play.objects.all(), "song", starting_value="starting_play_count"),
    Counter(SongCounts, "like_count", SongLike.objects.all(), "song"),
    Counter(Album, "songs_in_all", Song.objects.all(), "album", key="pk"),
    Counter(Album, "song_count", Song.objects.public(), "album", key="pk"),
    Counter(Album, "duration", Song.objects.public(), "album", key="pk", counting=Sum("duration")),
    Counter(ArtistCounts, "song_count", Song.objects.public(), "artist"),
    Counter(ArtistCounts, "album_count", Album.objects.shown(), "artist"),
    Counter(ArtistCounts, "follower_count", ArtistFollow.objects.all(), "artist"),
]


class Command(BaseCommand):
    help = "Compare each counter with the rows that it counts, and repair it. Counts that an import brought stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="repair nothing; exit 1 if something is wrong")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        problems = 0
        for line in self.problems(repairing=not check):
            self.stdout.write(line)
            problems += 1
        if not problems:
            self.stdout.write("nothing to repair")
        elif check:
            sys.exit(1)

    def problems(self, *, repairing: bool) -> Iterator[str]:
        yield from self.uncounted(Song.objects.filter(counts=None), SongCounts, "song", repairing)
        yield from self.uncounted(User.objects.filter(role=Role.ARTIST, counts=None), ArtistCounts, "artist", repairing)
        for counter in COUNTERS:
            for pk in counter.wrong().values_list("pk", flat=True):
                yield from self.repaired(counter, pk, repairing)

    def uncounted(self, rows: QuerySet, kept_in: type[models.Model], name: str, repairing: bool) -> Iterator[str]:
        for row in rows:
            if repairing:
                kept_in._default_manager.get_or_create(**{name: row})
            yield f"{name} {row.pk}: had no counters"

    def repaired(self, counter: Counter, pk: Any, repairing: bool) -> Iterator[str]:
        with transaction.atomic():
            # Locked and counted anew: what was wrong a moment ago may have been a change on its way.
            counter.kept_in._default_manager.select_for_update().filter(pk=pk).first()
            row = counter.wrong().filter(pk=pk).first()
            if row is None:
                return
            if repairing:
                counter.kept_in._default_manager.filter(pk=pk).update(**{counter.name: row.counted})
        whose, was = row.pk if counter.key else getattr(row, f"{counter.of}_id"), getattr(row, counter.name)
        yield f"{counter.of} {whose}: {counter.name} was {was}, its rows say {row.counted}"
