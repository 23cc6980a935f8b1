"""Measures the server on catalogues of several sizes, and prints and writes a table: `make bench`, `make bench QUICK=1`."""

import argparse
import base64
import json
import os
import platform
import sys
import tempfile
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as Folder
from statistics import median

import psycopg2

from tests.processes import Process, accepts, free_port, manage, postgres, server

SIZES = (10_000, 100_000, 1_000_000)
RATES = "1000000/s"
SONG_BYTES = 5 * 2**20


@dataclass
class Figures:
    """Of one path at one size: of each round microseconds of processor time a request, and what the load said."""

    application: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)

    @property
    def cost(self) -> float:
        return median(self.application) + median(self.database)

    @property
    def against_f(self) -> float:
        """Of each round, so that a machine that is slow for a while is slow for both."""
        costs = zip(self.application, self.database, self.bare, strict=True)
        return median(bare / (app + database) for app, database, bare in costs)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=3, help="of each measurement")
    arguments.add_argument("--write", help="a file for the table")
    given = arguments.parse_args()
    with ExitStack() as stack:
        folder = Folder(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgres())
        _make_template(database)
        found = {}
        for size in given.sizes:
            found[size] = _measure(size, database, folder, given)
    text = _table(found)
    print(text)
    if given.write:
        Folder(given.write).write_text(text)


def _url(database: Process, name: str) -> str:
    return f"{database.url.rpartition('/')[0]}/{name}"


def _run(database: Process, sql: str) -> None:
    connection = psycopg2.connect(_url(database, "postgres"))
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def _make_template(database: Process) -> None:
    _run(database, "CREATE DATABASE empty")
    done = manage("migrate", "--verbosity", "0", environment={"DATABASE_URL": _url(database, "empty")})
    if done.returncode:
        sys.exit(done.stderr)


def _measure(size: int, database: Process, folder: Folder, given: argparse.Namespace) -> dict[str, Figures]:
    from benchmarks.paths import PATHS

    name = f"songs_{size}"
    _run(database, f"CREATE DATABASE {name} TEMPLATE empty")
    environment = {
        "DATABASE_URL": _url(database, name),
        "MEDIA_ROOT": str(folder / "media"),
        # Counted as in production, at rates that are not reached.
        **{f"{rate}_RATE": RATES for rate in ("GENERAL", "SEARCH", "PLAY", "STREAM")},
    }
    print(f"{size:,} songs: filling the database", file=sys.stderr, flush=True)
    catalogue = _filled(size, environment["DATABASE_URL"], folder)
    figures: dict[str, Figures] = defaultdict(Figures)
    with (
        server({**environment, "ANONYMOUS_CACHE_SECONDS": "0"}) as ours,
        server({**environment, "ANONYMOUS_CACHE_SECONDS": "2"}, name="keeping server") as keeping,
    ):
        deep = _cursor_of_page(catalogue)
        asked = {path: path.requests(catalogue, deep) for path in PATHS}
        stream = f"/api/songs/{catalogue.songs[1]}/stream"
        asked = {path: [_with_path(r, stream) if path.is_file else r for r in rs] for path, rs in asked.items()}
        with _bare(folder, ours, asked) as bare:
            for number in range(1, given.rounds + 1):
                for path, requests in asked.items():
                    print(f"{size:,} songs, round {number}: {path.name:40}", end="\r", file=sys.stderr, flush=True)
                    web = keeping if path.kept else ours
                    _round(figures[path.name], path, requests, web, database, bare, given.seconds)
    print(file=sys.stderr)
    return figures


def _with_path(request, path: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(request, path=path)


def _filled(size: int, url: str, folder: Folder):  # type: ignore[no-untyped-def]
    os.environ |= {
        "DATABASE_URL": url,
        "SECRET_KEY": "only-for-benchmarks-0123456789",
        "DJANGO_SETTINGS_MODULE": "Spotify_Clone.settings",
    }
    import django
    from django.conf import settings
    from django.db import connection

    if not settings.configured:
        django.setup()
    from benchmarks.catalogue import AUDIO_KEY, Catalogue

    connection.close()
    connection.settings_dict["NAME"] = url.rpartition("/")[2]
    catalogue = Catalogue(size)
    catalogue.fill()
    connection.close()
    audio = folder / "media" / AUDIO_KEY
    audio.parent.mkdir(parents=True, exist_ok=True)
    audio.write_bytes(b"\xff\xfb" * (SONG_BYTES // 2))
    return catalogue


def _cursor_of_page(catalogue) -> str:  # type: ignore[no-untyped-def]
    """Where a client is that has gone from page to page for a long time."""
    from django.db import connection

    from benchmarks.paths import DEEP_PAGE

    place = min(DEEP_PAGE * 20, len(catalogue.songs) // 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM music_song WHERE id = %s", [catalogue.songs[place]])
        [at] = cursor.fetchone()
    connection.close()
    key = json.dumps([False, str(at), str(catalogue.songs[place])]).encode()
    return f"/api/songs?cursor={base64.urlsafe_b64encode(key).decode().rstrip('=')}"


def _bare(folder: Folder, ours: Process, asked) -> Process:  # type: ignore[no-untyped-def]
    answers = Folder(tempfile.mkdtemp(dir=folder))
    for path, requests in asked.items():
        if path.is_file:
            (answers / "audio").write_bytes(b"\xff\xfb" * (SONG_BYTES // 2))
        elif path.against_f:
            with urllib.request.urlopen(ours.url + requests[0].path) as answer:
                (answers / _file_name(path)).write_bytes(answer.read())
    port = free_port()
    command = [sys.executable, "-m", "granian", "benchmarks.bare:application", "--interface", "wsgi", "--no-ws"]
    return Process(
        "bare view",
        [*command, "--port", str(port), "--workers", "1", "--blocking-threads", "64", "--log-level", "error"],
        is_ready=lambda: accepts(port),
        environment={"BENCHMARK_ANSWERS": str(answers)},
        url=f"http://127.0.0.1:{port}",
    )


def _file_name(path) -> str:  # type: ignore[no-untyped-def]
    return "".join(letter for letter in path.name if letter.isalnum())


def _round(figures, path, requests, web, database, bare, seconds) -> None:  # type: ignore[no-untyped-def]
    from benchmarks.computing import seconds_of
    from benchmarks.loading import Request, load

    if path.against_f:
        target = Request("/audio", range=requests[0].range) if path.is_file else Request("/" + _file_name(path))
        before = seconds_of(bare.running.pid)
        done = load(bare.url, [target], seconds=seconds, connections=path.connections)
        figures.bare.append((seconds_of(bare.running.pid) - before) / done.requests * 1e6)
    before_web, before_database = seconds_of(web.running.pid), seconds_of(database.running.pid)
    done = load(web.url, requests, seconds=seconds, connections=path.connections)
    figures.application.append((seconds_of(web.running.pid) - before_web) / done.requests * 1e6)
    figures.database.append((seconds_of(database.running.pid) - before_database) / done.requests * 1e6)
    figures.a_second.append(done.requests / done.seconds)
    figures.p50.append(done.p50)
    figures.p95.append(done.p95)


def _table(found: dict[int, dict[str, Figures]]) -> str:
    from benchmarks.paths import PATHS

    smallest, largest = min(found), max(found)
    lines = [
        f"{date.today():%-d %B %Y}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        "PostgreSQL on the same machine, one server process.",
        "",
        "| path | songs | application µs | database µs | requests/s | p50 ms | p95 ms | of F | goal | growth | goal |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for path in PATHS:
        for size, figures in found.items():
            row = figures[path.name]
            is_last = size == largest and smallest < largest
            growth = f"{row.cost / found[smallest][path.name].cost:.2f}" if is_last else ""
            cells = [
                *(path.name, f"{size:,}", f"{median(row.application):,.0f}", f"{median(row.database):,.0f}"),
                *(f"{median(row.a_second):,.0f}", f"{median(row.p50):.1f}", f"{median(row.p95):.1f}"),
                *(
                    f"{row.against_f:.2f}" if path.against_f else "",
                    f"≥ {path.against_f:.2f}" if path.against_f else "",
                ),
                *(growth, f"≤ {path.growth}" if path.growth and is_last else ""),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
