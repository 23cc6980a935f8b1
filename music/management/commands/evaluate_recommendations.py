import csv
import gzip
from collections import defaultdict
from math import log2
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.core.management.base import BaseCommand, CommandError, CommandParser

from music.discovery.neighbours.builder import build_neighbours
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind, Neighbour
from music.discovery.neighbours.taste import taste_of

SHOWN = 20

Plays = dict[str, dict[str, float]]


class Command(BaseCommand):
    help = (
        "Measure recommendations: build neighbours of artists from one file of plays, recommend artists to each user, "
        "and compare them with the plays in another file. The columns are user_id, artist_id and plays; the files may "
        "be .gz. Neighbours of songs are not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--train", type=Path, required=True)
        parser.add_argument("--test", type=Path, required=True)
        parser.add_argument("--output", type=Path, help="CSV file to write: user_id, rank, artist_id")

    def handle(self, *args: Any, train: Path, test: Path, output: Path | None, **options: Any) -> None:
        known, hidden = plays_in(train), plays_in(test)
        try:
            recommended = recommend(known)
        finally:
            # Only this command makes neighbours of artists; the service has no use for them.
            Neighbour.objects.filter(kind=ItemKind.ARTIST).delete()
        if output:
            write(recommended, output)
        for name, figure in figures(recommended, hidden).items():
            self.stdout.write(f"{name} {figure:.4f}")


def plays_in(path: Path) -> Plays:
    """Read a file of plays: {user id: {artist id: number of plays}}. Raise CommandError if that fails."""
    plays: Plays = defaultdict(dict)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                of_user = plays[row["user_id"]]
                of_user[row["artist_id"]] = of_user.get(row["artist_id"], 0) + float(row["plays"])
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{path}: {error!r}") from error
    if not plays:
        raise CommandError(f"{path}: the file has no plays.")
    return plays


def recommend(known: Plays) -> dict[str, list[str]]:
    """Return the first SHOWN artists for each user, found in the way the API finds songs."""
    names = {artist_uuid(artist): artist for plays in known.values() for artist in plays}
    tastes = {
        user: taste_of({artist_uuid(artist): number for artist, number in plays.items()})
        for user, plays in known.items()
    }
    build_neighbours(tastes.values(), kind=ItemKind.ARTIST)
    return {
        user: [names[found.item] for found in neighbours_of(taste, kind=ItemKind.ARTIST, limit=SHOWN)]
        for user, taste in tastes.items()
    }


def artist_uuid(artist: str) -> UUID:
    return uuid5(NAMESPACE_OID, artist)


def write(recommended: dict[str, list[str]], output: Path) -> None:
    with output.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "rank", "artist_id"])
        for user, artists in recommended.items():
            rows.writerows((user, rank, artist) for rank, artist in enumerate(artists, 1))


def figures(recommended: dict[str, list[str]], hidden: Plays) -> dict[str, float]:
    """Return means over the users in `hidden`. An artist is a hit or not, however many plays there are."""
    # For each user: whether each recommended artist is a hit, and the number of artists that could be hit.
    users = [
        ([artist in artists for artist in recommended.get(user, [])], len(artists)) for user, artists in hidden.items()
    ]
    return {
        **{f"nDCG@{n}": fmean(ndcg(hits[:n], min(n, possible)) for hits, possible in users) for n in (10, SHOWN)},
        **{f"recall@{n}": fmean(sum(hits[:n]) / possible for hits, possible in users) for n in (10, SHOWN)},
    }


def ndcg(hits: list[bool], possible: int) -> float:
    """Return the normalised discounted cumulative gain of a ranking with binary relevance.

    DCG = sum of 1 / log2(rank + 1) over the hits (Järvelin and Kekäläinen 2002), divided by the DCG of a ranking that
    has all `possible` hits at its top.
    """
    gain = sum(1 / log2(rank + 1) for rank, hit in enumerate(hits, 1) if hit)
    return gain / sum(1 / log2(rank + 1) for rank in range(1, possible + 1))
