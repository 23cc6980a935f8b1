"""Static files as production serves them: compressed, and named by their content."""

import fcntl
import os
import subprocess
import sys

from django.conf import settings

# What decides which static files there are: the packages, the apps, and our own files.
SOURCES = ("Pipfile.lock", "Spotify_Clone/settings.py", "Spotify_Clone/static/**/*")


def collect_if_stale() -> None:
    """A bare clone and a new version have not collected theirs; a built image has, and can't write any."""
    if settings.STATIC_FILES_AS_THEY_LIE or not is_stale():
        return
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    folder = os.open(settings.STATIC_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if is_stale():  # nobody did it while we waited
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True, cwd=settings.BASE_DIR
            )
            # WhiteNoise's compressed copies follow our umask instead of the storage's permissions.
            for path in settings.STATIC_ROOT.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            settings.STATIC_ROOT.chmod(0o755)
    finally:
        os.close(folder)


def is_stale() -> bool:
    manifest = settings.STATIC_ROOT / "staticfiles.json"  # is written last
    if not manifest.exists():
        return True
    collected = manifest.stat().st_mtime
    return any(path.stat().st_mtime > collected for source in SOURCES for path in settings.BASE_DIR.glob(source))
