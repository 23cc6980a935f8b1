import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.db.compiled import CompiledQuery
from music.discovery.search.finder import find
from music.discovery.search.models import Kind
from music.models import Song

SHOWN = 10
PUBLIC = CompiledQuery(Song.objects.public().values_list("source_key", named=True))


class Command(BaseCommand):
    help = (
        "Measure the search with queries whose right answers are known: how often the first result is right (hit@1), "
        "how often one of the first ten is (hit@10), and the mean reciprocal rank (MRR@10). The file has the columns "
        "query, kind and accepted_track_ids (source ids of the imported catalogue, separated by |)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--probes", type=Path, required=True)

    def handle(self, *args: Any, probes: Path, **options: Any) -> None:
        ranks = defaultdict(list)
        try:
            with probes.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    ranks[row["kind"]].append(rank_of(row["accepted_track_ids"].split("|"), row["query"]))
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise CommandError(f"{probes}: {error!r}") from error
        if not ranks:
            raise CommandError(f"{probes}: there are no queries.")
        all_ranks = [rank for ranks_of_kind in ranks.values() for rank in ranks_of_kind]
        for name, value in figures(all_ranks).items():
            self.stdout.write(f"{name} {value:.4f}")
        self.stdout.write(f"\n{'kind':20} queries  " + "  ".join(figures([0])))
        for kind, ranks_of_kind in [*sorted(ranks.items()), ("all", all_ranks)]:
            columns = "  ".join(f"{value:{len(name)}.3f}" for name, value in figures(ranks_of_kind).items())
            self.stdout.write(f"{kind:20} {len(ranks_of_kind):7}  {columns}")


def rank_of(accepted: list[str], query: str) -> int | None:
    """Return the rank (from 1) of the first accepted song among the public results; None if it is not among them."""
    songs = find(query, {Kind.SONG: PUBLIC}, limit=SHOWN)[Kind.SONG]
    keys = {f"id:{source_id}" for source_id in accepted}
    return next((rank for rank, song in enumerate(songs, 1) if song.source_key in keys), None)


def figures(ranks: list[int | None]) -> dict[str, float]:
    """Return hit rates and the mean reciprocal rank (a query without a right result counts as 0)."""
    found = [rank for rank in ranks if rank]
    return {
        "hit@1": found.count(1) / len(ranks),
        "hit@10": len(found) / len(ranks),
        "MRR@10": sum(1 / rank for rank in found) / len(ranks),
    }
