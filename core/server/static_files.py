"""Collection of static files for production: compressed, with a hash of the content in their names."""

import fcntl
import os
import subprocess
import sys

from django.conf import settings

# The static files depend on the installed packages, the installed apps, and our own files.
SOURCES = ("Pipfile.lock", "Spotify_Clone/settings.py", "Spotify_Clone/static/**/*")


def collect_if_stale() -> None:
    """Run collectstatic if a source is newer than the last run, as after a clone or an upgrade.

    A built image has collected its files, and may be read-only.
    """
    if settings.STATIC_FILES_FROM_SOURCE or not is_stale():
        return
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    folder = os.open(settings.STATIC_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if is_stale():  # another process may have done it while this one waited for the lock
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True, cwd=settings.BASE_DIR
            )
            # WhiteNoise's compressed copies follow this process' umask instead of the storage's permissions.
            for path in settings.STATIC_ROOT.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            settings.STATIC_ROOT.chmod(0o755)
    finally:
        os.close(folder)


def is_stale() -> bool:
    manifest = settings.STATIC_ROOT / "staticfiles.json"  # collectstatic writes it last
    if not manifest.exists():
        return True
    collected = manifest.stat().st_mtime
    return any(path.stat().st_mtime > collected for source in SOURCES for path in settings.BASE_DIR.glob(source))
