"""The production server: `python -m core.server.serve`. It does not migrate the database."""

import ctypes
import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.checks import deployment_warnings
from core.server.static_files import collect_if_stale

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "Spotify_Clone.settings")

# Threads of all workers together. Each keeps a database connection, and PostgreSQL allows 100 by default.
THREADS = 64
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def variable(name: str, default: str) -> str:
    """Return a variable of the environment or of .env. Exit with the message of a setting that is wrong."""
    try:
        _ = settings.DEBUG  # loads the settings, which load .env
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    return os.environ.get(name) or default


def number(name: str, default: int) -> int:
    text = variable(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        sys.exit(f"{name} is {text!r}: set it to a whole number from 1 to 65535.")
    return int(text)


def check_address_is_free() -> tuple[str, int]:
    """Return HOST and PORT. Exit if the port is taken: granian would share it with the other server silently."""
    host, port = variable("HOST", "127.0.0.1"), number("PORT", 8000)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(f"Cannot listen on {host}, port {port}: {error.strerror}. Set PORT to another port.")
    return host, port


def prepare_metrics_folder(port: int) -> str:
    """Return the folder in which the workers sum up their metrics, emptied of those of an earlier server."""
    given = variable("PROMETHEUS_MULTIPROC_DIR", "")
    folder = Path(given or tempfile.gettempdir()) / ("" if given else f"music-metrics-{os.getuid()}-{port}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In the shared temporary folder another account may have made it first, to read and forge the metrics.
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        sys.exit(f"{folder} belongs to another account. Set PROMETHEUS_MULTIPROC_DIR to a folder of this account.")
    for file in folder.glob("*.db"):
        file.unlink()
    return str(folder)


def make_data_private() -> None:
    """Deny other accounts the SQLite file and the folder of stored files, which older releases left readable."""
    private = [settings.MEDIA_ROOT] if settings.STORAGES["default"]["BACKEND"].endswith("FileSystemStorage") else []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        private += [Path(settings.DATABASES["default"]["NAME"] + ending) for ending in ("", "-wal", "-shm")]
    for path in private:
        # A file of another account is that account's decision.
        with suppress(FileNotFoundError, PermissionError):
            path.chmod(settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS if path.is_dir() else 0o600)


def die_with_parent(how: signal.Signals = signal.SIGTERM) -> None:
    """Have Linux send this process the signal when its parent ends, even if the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)


def main() -> None:
    host, port = check_address_is_free()
    workers = number("WORKERS", os.cpu_count() or 1)
    collect_if_stale()
    make_data_private()
    if workers > 1 and settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        print(f"CACHE_URL is not set: each of the {workers} workers counts requests for throttling separately.")
    for warning in deployment_warnings():
        print(f"WARNING: {warning.msg} {warning.hint}")
    print(f"Serving http://{host}:{port} with {workers} worker{'s' * (workers > 1)}", flush=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = prepare_metrics_folder(port)
    os.execv(  # noqa: S606
        sys.executable,
        [
            *(sys.executable, "-m", "granian", "Spotify_Clone.wsgi:application"),
            *("--interface", "wsgi", "--no-ws", "--host", host, "--port", str(port)),
            *("--workers", str(workers), "--blocking-threads", str(max(4, THREADS // workers))),
            *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--log-level", "error"),
        ],
    )


if __name__ == "__main__":
    main()
