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
    """A stored counter, and the rows from which it can be counted anew."""

    model: type[models.Model]  # has the counter in the field `name`
    name: str
    rows: QuerySet  # are counted by `owner`, their foreign key
    owner: str
    # The field of `model` that the foreign key refers to: `model` has the same foreign key, or is its target ("pk").
    owner_field: str | None = None
    aggregate: Aggregate | None = None
    starting_value: str | None = None  # the field with what an import brought; it is added to the rows

    def wrong(self) -> QuerySet:
        """Return the rows of `model` whose counter is wrong, with the right number as `counted`.

        Counter and rows are compared in one statement, so that writes in between can't make a difference.
        """
        rows = self.rows.filter(**{self.owner: OuterRef(self.owner_field or self.owner)}).order_by().values(self.owner)
        counted: Combinable = Coalesce(Subquery(rows.annotate(n=self.aggregate or Count("pk")).values("n")), 0)
        if self.starting_value:
            counted = F(self.starting_value) + counted
        return self.model._default_manager.annotate(counted=counted).exclude(counted=F(self.name))


COUNTERS = [
    Counter(SongCounts, "play_count", Play.objects.all(), "song", starting_value="starting_play_count"),
    Counter(SongCounts, "like_count", SongLike.objects.all(), "song"),
    Counter(Album, "songs_in_all", Song.objects.all(), "album", owner_field="pk"),
    Counter(Album, "song_count", Song.objects.public(), "album", owner_field="pk"),
    Counter(Album, "duration", Song.objects.public(), "album", owner_field="pk", aggregate=Sum("duration")),
    Counter(ArtistCounts, "song_count", Song.objects.public(), "artist"),
    Counter(ArtistCounts, "album_count", Album.objects.shown(), "artist"),
    Counter(ArtistCounts, "follower_count", ArtistFollow.objects.all(), "artist"),
]


class Command(BaseCommand):
    help = "Compare each counter with the rows that it counts, and correct it. Counts that an import brought stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a counter is wrong")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        problems = 0
        for line in self.problems(repair=not check):
            self.stdout.write(line)
            problems += 1
        if not problems:
            self.stdout.write("nothing to repair")
        elif check:
            sys.exit(1)

    def problems(self, *, repair: bool) -> Iterator[str]:
        """Yield a line for each missing or wrong counter, and correct it if `repair`."""
        for song in Song.objects.filter(counts=None):
            if repair:
                SongCounts.objects.get_or_create(song=song)
            yield f"song {song.pk}: had no counters"
        for artist in User.objects.filter(role=Role.ARTIST, counts=None):
            if repair:
                ArtistCounts.objects.get_or_create(artist=artist)
            yield f"artist {artist.pk}: had no counters"
        for counter in COUNTERS:
            for pk in counter.wrong().values_list("pk", flat=True):
                if problem := self.check_counter(counter, pk, repair=repair):
                    yield problem

    def check_counter(self, counter: Counter, pk: Any, *, repair: bool) -> str | None:
        with transaction.atomic():
            # Counted again under a lock: the difference may have been a write that was about to be committed.
            counter.model._default_manager.select_for_update().filter(pk=pk).first()
            row = counter.wrong().filter(pk=pk).first()
            if row is None:
                return None
            if repair:
                counter.model._default_manager.filter(pk=pk).update(**{counter.name: row.counted})
        owner_id = row.pk if counter.owner_field else getattr(row, f"{counter.owner}_id")
        was = getattr(row, counter.name)
        return f"{counter.owner} {owner_id}: {counter.name} was {was}, its rows say {row.counted}"
