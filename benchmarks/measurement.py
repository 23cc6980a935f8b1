"""Rounds of load on our server and, right before each, on the baseline."""

import base64
import json
import os
import platform
import sys
import tempfile
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

from django.db import connection

from benchmarks.catalogue import AUDIO_KEY, Catalogue
from benchmarks.load import Request, load
from benchmarks.paths import DEEP_PAGE, PATHS, Measured
from benchmarks.recommendations import seconds_of
from tests.processes import PRODUCTION, Process, accepts, free_port, server

SOUND = b"\xff\xfb" * (5 * 2**19)
WARMING_UP = 1  # seconds
# Counted as in production, at rates that are not reached.
RATES = {f"THROTTLE_{name}": "1000000/s" for name in ("EVERYTHING", "SEARCH", "PLAY", "STREAM")}


@dataclass
class Figures:
    """The figures of one path at one catalogue size: processor time per request in µs, and the load, of each round."""

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
    def against_f(self) -> float | None:
        """Return the median ratio to the baseline, taken within each round, so that a slow phase affects both alike."""
        costs = zip(self.application, self.database, self.bare, strict=False)
        return median(shares) if (shares := [bare / (app + db) for app, db, bare in costs]) else None


class Bench:
    def __init__(self, size: int, url: str, database: Process, folder: Path):
        self.size, self.database, self.folder = size, database, folder
        self.environment = {"DATABASE_URL": url, "MEDIA_ROOT": str(folder / "media"), **RATES}
        self.figures: dict[str, Figures] = defaultdict(Figures)
        self.say("filling the database")
        connection.close()
        connection.settings_dict["NAME"] = url.rpartition("/")[2]
        self.catalogue = Catalogue(size)
        self.catalogue.fill()
        deep = self._deep_page()
        connection.close()
        audio = folder / "media" / AUDIO_KEY
        audio.parent.mkdir(parents=True, exist_ok=True)
        audio.write_bytes(SOUND)
        self.requests = {path: path.requests(self.catalogue, deep) for path in PATHS}

    def say(self, what: str) -> None:
        print(f"\r{self.size:,} songs: {what:60}", end="", file=sys.stderr, flush=True)

    def measured(self, rounds: int, seconds: int, only: str) -> dict[str, Figures]:
        paths = [path for path in PATHS if only in path.name]
        with (
            server({**self.environment, "ANONYMOUS_CACHE_SECONDS": "0"}) as asking,
            server({**self.environment, "ANONYMOUS_CACHE_SECONDS": "2"}, name="keeping server") as keeping,
            self._bare(asking, paths) as bare,
        ):
            for number in range(1, rounds + 1):
                for path in paths:
                    self.say(f"round {number} of {rounds}, {path.name}")
                    self._round(path, keeping if path.kept else asking, bare, seconds)
        print(file=sys.stderr)
        return self.figures

    def _round(self, path: Measured, web: Process, bare: Process, seconds: int) -> None:
        figures, requests = self.figures[path.name], self.requests[path]
        if path.against_f:
            same = Request("/audio", range=requests[0].range) if path.is_file else Request(f"/{path.file_name}")
            before = _used(bare)
            done = load(bare.url, [same], seconds=seconds, connections=path.connections)
            figures.bare.append((_used(bare) - before) / done.requests)
        # Each of the server's threads has a connection of its own, and scores are refreshed every 30 seconds: as it is
        # after a while, not as it begins.
        load(web.url, requests, seconds=WARMING_UP, connections=path.connections)
        before = _used(web), _used(self.database)
        done = load(web.url, requests, seconds=seconds, connections=path.connections)
        figures.application.append((_used(web) - before[0]) / done.requests)
        figures.database.append((_used(self.database) - before[1]) / done.requests)
        figures.a_second.append(done.requests / done.seconds)
        figures.p50.append(done.p50)
        figures.p95.append(done.p95)

    def _bare(self, ours: Process, paths: list[Measured]) -> Process:
        answers = Path(tempfile.mkdtemp(dir=self.folder))
        (answers / "audio").write_bytes(SOUND)
        for path in paths:
            if path.against_f and not path.is_file:
                (answers / path.file_name).write_bytes(_body(ours.url, self.requests[path][0]))
        port = free_port()
        command = [sys.executable, "-m", "granian", "benchmarks.bare:application", "--interface", "wsgi", "--no-ws"]
        return Process(
            "bare view",
            [*command, "--port", str(port), "--workers", "1", "--blocking-threads", "64", "--log-level", "error"],
            is_ready=lambda: accepts(port),
            environment={**PRODUCTION, **self.environment, "BENCHMARK_ANSWERS": str(answers)},
            url=f"http://127.0.0.1:{port}",
        )

    def _deep_page(self) -> str:
        """Return the address of a page far down the list, as a client that follows `next` reaches it."""
        song = self.catalogue.songs[min(DEEP_PAGE * 20, self.size // 2)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT created_at FROM music_song WHERE id = %s", [song])
            [at] = cursor.fetchone()
        cursor_text = base64.urlsafe_b64encode(json.dumps([False, str(at), str(song), False]).encode()).decode()
        return f"/api/songs?cursor={cursor_text.rstrip('=')}"


def _used(process: Process) -> float:
    """Return the processor time used so far, in microseconds."""
    return seconds_of(process.running.pid) * 1e6 if process.running else 0.0


def _body(url: str, request: Request) -> bytes:
    with urllib.request.urlopen(url + request.path) as answer:  # noqa: S310  (our own server)
        return answer.read()


def table(found: dict[int, dict[str, Figures]]) -> str:
    smallest, largest = min(found), max(found)
    lines = [
        f"{date.today():%-d %B %Y}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        "PostgreSQL and clients on the same machine, one server process.",
        "",
        "| path | songs | application µs | database µs | requests/s | p50 ms | p95 ms | of F | goal | growth | goal |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for path in PATHS:
        for size, figures in found.items():
            if path.name not in figures:
                continue
            row = figures[path.name]
            growth = row.cost / found[smallest][path.name].cost if size == largest > smallest else None
            lines.append(f"| {' | '.join(_cells(path, size, row, growth))} |")
    return "\n".join(lines) + "\n"


def _cells(path: Measured, size: int, row: Figures, growth: float | None) -> list[str]:
    return [
        *(path.name, f"{size:,}", f"{median(row.application):,.0f}", f"{median(row.database):,.0f}"),
        *(f"{median(row.a_second):,.0f}", f"{median(row.p50):.1f}", f"{median(row.p95):.1f}"),
        *(f"{row.against_f:.2f}" if row.against_f else "", f"≥ {path.against_f:.2f}" if path.against_f else ""),
        *(f"{growth:.2f}" if growth else "", f"≤ {path.growth}" if growth and path.growth else ""),
    ]
