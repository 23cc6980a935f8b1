"""Measure the server on catalogues of several sizes and print a table: `make bench`, `make bench QUICK=1`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django
import psycopg2

from tests.processes import PRODUCTION, manage, postgres

# What stands before it is for people to write.
MARK = "<!-- figures -->"
arguments = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
arguments.add_argument("--sizes", type=int, nargs="+", default=(10_000, 100_000, 1_000_000))
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--seconds", type=int, default=3, help="of each measurement")
arguments.add_argument("--only", default="", help="a part of the names of the paths to measure")
arguments.add_argument("--write", type=Path, help="a file that gets the table, after the line that marks its place")


def main() -> None:
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres() as database:
        server = database.url.rpartition("/")[0]
        run(database.url, "CREATE DATABASE empty")
        done = manage("migrate", "--verbosity", "0", environment={"DATABASE_URL": f"{server}/empty"})
        if done.returncode:
            sys.exit(done.stderr)
        os.environ |= {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "Spotify_Clone.settings", "DATABASE_URL": database.url}
        django.setup()
        from benchmarks.measurement import Bench, table

        found = {}
        for size in given.sizes:
            run(database.url, f"CREATE DATABASE songs_{size} TEMPLATE empty")
            bench = Bench(size, f"{server}/songs_{size}", database, Path(folder))
            found[size] = bench.measured(given.rounds, given.seconds, given.only)
            run(database.url, f"DROP DATABASE songs_{size}")
    print(text := table(found))
    if given.write:
        words, mark, _ = given.write.read_text().partition(MARK)
        given.write.write_text(f"{words}{mark}\n\n{text}")


def run(url: str, sql: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


if __name__ == "__main__":
    main()
