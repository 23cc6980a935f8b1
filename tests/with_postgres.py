"""Run a command with DATABASE_URL set to a throw-away PostgreSQL: `python tests/with_postgres.py -- COMMAND`"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

NO_POSTGRES = 77
# It is thrown away anyway, so it may lose everything in a crash.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "",
}


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs: PG_BINDIR, the newest Debian package, or that on the PATH."""
    if named := os.environ.get("PG_BINDIR"):
        return Path(named)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = str(installed[-1]) if installed else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def account() -> dict:
    """Return the options to run as another account if we are root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def initialise(bindir: Path, folder: Path, log: Path, **process) -> None:
    data = folder / "data"
    initdb = [bindir / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    with log.open("a") as output:
        for locale in (["--locale=C.UTF-8"], ["--no-locale", "--encoding=UTF8"]):
            if subprocess.run([*initdb, *locale], stdout=output, stderr=output, **process).returncode == 0:
                return
            shutil.rmtree(data, ignore_errors=True)
    sys.exit("initdb failed:\n" + log.read_text())


def command(bindir: Path, folder: Path, **options: str) -> list:
    settings = [f"-c{name}={value}" for name, value in {**OPTIONS, **options}.items()]
    return [bindir / "postgres", "-D", folder / "data", "-k", folder, *settings]


def accepts(bindir: Path, folder: Path) -> bool:
    return subprocess.run([bindir / "pg_isready", "-q", "-h", folder]).returncode == 0


@contextmanager
def own_folder() -> Iterator[Path]:
    # A socket's path has to stay under 108 characters, so TMPDIR does not count here.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    try:
        if who := account():
            os.chown(folder, who["user"], who["group"])
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(bindir: Path, folder: Path, **options: str) -> subprocess.Popen:
    """A server on the data in this folder, which is made if it is not there. Options go before ours."""
    # Root's working directory may be closed to the other account.
    process = {"cwd": folder, **account()}
    log = folder / "log"
    if not (folder / "data").exists():
        initialise(bindir, folder, log, **process)
    with log.open("a") as output:
        server = subprocess.Popen(
            # A session of its own: Ctrl-C reaches the command, and the server outlives it.
            command(bindir, folder, **options),
            stdout=output,
            stderr=output,
            start_new_session=True,
            **process,
        )
    while not accepts(bindir, folder):
        if server.poll() is not None:
            sys.exit("PostgreSQL did not start:\n" + log.read_text())
        time.sleep(0.1)
    return server


def url_of(folder: Path, database: str = "postgres") -> str:
    return f"postgres://postgres@{quote(str(folder), safe='')}/{database}"


def main(command: list[str]) -> int:
    bindir = binaries()
    if bindir is None or not (bindir / "initdb").exists():
        print(
            f"NO POSTGRESQL: no initdb in {bindir or '/usr/lib/postgresql/*/bin or on the PATH'}. "
            "Install it (apt-get install postgresql) or set PG_BINDIR. NOTHING WAS TESTED ON IT.",
            file=sys.stderr,
        )
        return NO_POSTGRES
    with own_folder() as folder:
        server = child = None
        try:
            server = start(bindir, folder)
            child = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url_of(folder)})
            return child.wait()
        finally:
            for process in (child, server):
                if process and process.poll() is None:
                    process.terminate() if process is child else process.send_signal(signal.SIGINT)
                    process.wait()


def stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
