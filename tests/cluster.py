"""A deployment of several processes on this machine, under load.

`python -m tests.cluster kill` kills a server, a worker and Redis one after the other, and restarts them, while clients
go on. `python -m tests.cluster load` kills nothing, and prints times and the memory of each process.
Exit with 1 if something was lost or an answer was a 5xx.
"""

import csv
import random
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from imageio_ffmpeg import get_ffmpeg_exe

from tests.clients import Crowd, Tally
from tests.processes import Process, manage, object_store, postgres, redis, server, worker
from tests.s3 import BUCKET, Store

IMPORTED_SONGS = 2000
LEASE_SECONDS = 5
SECONDS_DOWN = 2
WORDS = ["amber", "river", "silver", "echo", "glass", "night", "window", "song", "paper", "garden", "northern", "slow"]
TASKS = "django_tasks_database_dbtaskresult"


@dataclass
class Cluster:
    servers: list[Process]
    workers: list[Process]
    redis: Process
    database: Process
    environment: dict[str, str]

    def ask(self, sql: str) -> list[tuple]:
        with psycopg2.connect(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def count(self, table: str, where: str) -> int:
        return self.ask(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]  # noqa: S608

    def waiting_renditions(self) -> int:
        return self.count(TASKS, "queue_name = 'rendering' AND status <> 'SUCCESSFUL'")

    def busy_workers(self) -> int:
        return self.count(TASKS, "queue_name = 'rendering' AND status = 'RUNNING'")

    def crowd(self, clients: int, *, uploads_every: float = 0) -> Crowd:
        songs = [row[0] for row in self.ask("SELECT id::text FROM music_song")]
        urls = [server.url for server in self.servers]
        return Crowd(urls, clients=clients, songs=songs, audio=recording(seconds=20), uploads_every=uploads_every)

    def serves(self) -> bool:
        return self.redis.is_ready() and all(server.is_ready() for server in self.servers)

    def processes(self) -> list[Process]:
        return [*self.servers, *self.workers, self.redis]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start two servers of one process each, two workers, PostgreSQL, Redis and S3, with a catalogue."""
    with ExitStack() as running:
        enter = running.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory()))
        (folder / "store").mkdir()
        database, cache, files = enter(postgres()), enter(redis()), enter(object_store(folder / "store"))
        store = Store(files.url)
        store.create_bucket()
        environment = {
            "DATABASE_URL": database.url,
            "CACHE_URL": cache.url,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": store.access_key,
            "AWS_SECRET_ACCESS_KEY": store.secret_key,
            "AWS_S3_REGION_NAME": "us-east-1",
            "AWS_S3_ENDPOINT_URL": store.endpoint_url,
            "THROTTLING": "off",
            "WORKER_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        must("migrate", "--noinput", "-v0", environment=environment)
        must("import_catalogue", str(catalogue(folder / "catalogue.csv")), environment=environment)
        servers = [enter(server(environment, name=f"server {number}")) for number in (1, 2)]
        workers = [enter(worker(environment, name=f"worker {number}")) for number in (1, 2)]
        yield Cluster(servers, workers, cache, database, environment)


def must(*arguments: str, environment: dict[str, str]) -> None:
    done = manage(*arguments, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def catalogue(path: Path) -> Path:
    title = lambda: " ".join(random.sample(WORDS, 3))  # noqa: E731
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["title", "artist", "album", "genre", "release_date", "duration", "explicit", "play_count", "audio"]
        )
        for number in range(IMPORTED_SONGS):
            artist, genre = f"The {WORDS[number % 12]} {number % 50}", WORDS[number % 7]
            rows.writerow([title(), artist, title(), genre, 1990 + number % 35, 200, "false", number, ""])
    return path


def recording(seconds: int) -> bytes:
    noise = ["-f", "lavfi", "-i", f"anoisesrc=duration={seconds}:amplitude=0.2"]
    made = subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", *noise, "-b:a", "320k", "-f", "mp3", "-"], capture_output=True
    )
    return made.stdout


# What happens to it


def wait_for(condition: Callable[[], bool], otherwise: str, *, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, otherwise
        time.sleep(0.02)


def kill(process: Process, crowd: Crowd, *, until: Callable[[], bool]) -> None:
    """Kill a process, restart it, and print what the clients noticed until the service was whole again."""
    tally, killed = crowd.tally, time.monotonic()
    broken, errors, in_flight = tally.broken, len(tally.server_errors), tally.in_flight
    process.kill()
    time.sleep(SECONDS_DOWN)
    process.start()
    wait_for(until, f"{process.name} did not come back.")
    took = time.monotonic() - killed
    # What was under way while it came back is answered a little later.
    time.sleep(1)
    show(
        process.name,
        f"{killed - crowd.began:.1f} s",
        in_flight,
        tally.broken - broken,
        len(tally.server_errors) - errors,
        f"{took:.1f} s ({SECONDS_DOWN} s of them down)",
    )


def show(*columns: object) -> None:
    print(
        f"{columns[0]!s:<10}" + "".join(f"{column!s:>13}" for column in columns[1:-1]) + f"  {columns[-1]}", flush=True
    )


def kill_one_of_each(deployment: Cluster, *, clients: int, seconds: float) -> bool:
    with deployment.crowd(clients, uploads_every=3) as crowd:
        print()
        show("killed -9", "at", "in flight", "asked again", "5xx", "all was well again after")
        crowd.wait_until(0.15 * seconds)
        kill(deployment.servers[0], crowd, until=deployment.serves)
        crowd.wait_until(0.4 * seconds)
        wait_for(lambda: deployment.busy_workers() == len(deployment.workers), "No worker was given anything to do.")
        begun = ", ".join(f"'{row[0]}'" for row in deployment.ask(f"SELECT id FROM {TASKS} WHERE status = 'RUNNING'"))  # noqa: S608
        kill(
            deployment.workers[0],
            crowd,
            until=lambda: not deployment.count(TASKS, f"status <> 'SUCCESSFUL' AND id IN ({begun})"),
        )
        crowd.wait_until(0.7 * seconds)
        kill(deployment.redis, crowd, until=deployment.serves)
        crowd.wait_until(seconds)
        took = time.monotonic() - crowd.began
    return show_outcome(deployment, crowd.tally, seconds=took)


def show_outcome(deployment: Cluster, tally: Tally, *, seconds: float) -> bool:
    """Wait until the queue is empty, print the outcome, and return whether it is good."""
    wait_for(lambda: not deployment.waiting_renditions(), "The renditions were not finished.", seconds=300)
    counters = manage("recount", "--check", environment=deployment.environment)
    ready = deployment.count("music_sound", "status = 'ready'")
    audible = deployment.count("music_song", "audio_file <> ''")
    statuses = ", ".join(f"{status}: {number}" for status, number in sorted(tally.statuses.items()))
    print(f"\nrequests        {tally.requests()} in {seconds:.0f} s, {tally.requests() / seconds:.0f} a second")
    print(f"statuses        {statuses}")
    print(f"p50, p99        {tally.percentile(0.5):.0f} ms, {tally.percentile(0.99):.0f} ms")
    print(f"asked again     {tally.broken} whose connection broke or was refused; {tally.unanswered} found no server")
    print(f"recount --check {counters.stdout.strip()}")
    print(f"renditions      finished for {ready} of {audible} uploads ({tally.uploaded} were answered)")
    for error in tally.server_errors[:10]:
        print(f"                {error}")
    return not tally.server_errors and counters.returncode == 0 and ready == audible >= tally.uploaded


def carry_load(deployment: Cluster, *, clients: int, seconds: float) -> bool:
    # Before the start they are still loading what they need.
    moments = {"start": min(5, seconds / 4), "middle": seconds / 2, "end": seconds}
    sizes = []
    with deployment.crowd(clients) as crowd:
        for moment in moments.values():
            crowd.wait_until(moment)
            sizes.append([megabytes(process) for process in deployment.processes()])
    print(f"\n{'memory, MB':<16}" + "".join(f"{name:>10}" for name in moments))
    for process, row in zip(deployment.processes(), zip(*sizes, strict=True), strict=True):
        print(f"{process.name:<16}" + "".join(f"{size:>10.1f}" for size in row))
    return show_outcome(deployment, crowd.tally, seconds=seconds)


def megabytes(process: Process) -> float:
    """Return the memory of a process group in MB; shared pages count once."""
    assert process.running
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            if group == process.running.pid:
                total += int((folder / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1024


def main() -> int:
    parser = ArgumentParser()
    parser.add_argument("what", choices=["kill", "load"])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=40)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("Starting two servers, two workers, PostgreSQL, Redis and S3", flush=True)
    with cluster() as deployment:
        print(f"{asked.clients} clients for {asked.seconds:.0f} s", flush=True)
        act = kill_one_of_each if asked.what == "kill" else carry_load
        good = act(deployment, clients=asked.clients, seconds=asked.seconds)
    print("\n" + ("All is well." if good else "NOT all is well."))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
