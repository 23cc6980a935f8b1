"""Backups made while the service runs, and restoring them."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from core.backup import back_up
from core.jobs.leases import WorkerLease, is_backup_running
from core.storage.stored_files import BackupInProgress, remove_stored_file
from music.catalogue.models import Song, SongCounts
from music.tests.test_counters_together import own_connections  # noqa: F401  (a database on disk)

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(django_settings.BASE_DIR)


def store(content: bytes = b"0123456789") -> str:
    return default_storage.save(f"audio/{uuid4()}.mp3", ContentFile(content))


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="Kept", artist=artist, audio_file=store())
    SongCounts.objects.create(song=song)
    return song


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def dump_name() -> str:
    return "database.sqlite3" if connection.vendor == "sqlite" else "database.dump"


def url_of_another_database(folder: Path) -> str:
    """Switch to an empty database beside that of the test."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{folder}/restored.sqlite3"
    name = f"restored_{uuid4().hex}"
    connection.cursor().execute(f"CREATE DATABASE {name}")
    return f"postgres://postgres@{connection.settings_dict['HOST'].replace('/', '%2F')}/{name}"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": django_settings.SECRET_KEY} | environment,
        capture_output=True,
        text=True,
    )


def test_a_backup_restores_database_and_files(song, folder, tmp_path):
    call_command("backup", str(folder))
    elsewhere = {"DATABASE_URL": url_of_another_database(tmp_path), "MEDIA_ROOT": str(tmp_path / "restored")}

    done = manage("restore", str(folder), **elsewhere)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "restored" / song.audio_file.name).read_bytes() == b"0123456789"
    for check in ("recount", "sweep_media"):
        checked = manage(check, "--check", **elsewhere)
        assert checked.returncode == 0, checked.stdout
    again = manage("restore", str(folder), **elsewhere)
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)


def test_a_second_backup_copies_new_files_and_deletes_removed_ones(song, folder):
    gone = store()
    call_command("backup", str(folder))
    assert files_in(folder) == {dump_name(), f"media/{song.audio_file.name}", f"media/{gone}"}
    copied = folder / "media" / song.audio_file.name
    os.utime(copied, (1, 1))

    default_storage.delete(gone)
    new = store()
    call_command("backup", str(folder))

    assert files_in(folder) == {dump_name(), f"media/{song.audio_file.name}", f"media/{new}"}
    assert copied.stat().st_mtime == 1


def test_a_bucket_is_backed_up_too(song, s3_server, use_store, folder):
    use_store(s3_server)
    default_storage.bucket.objects.delete()
    name = store(b"in a bucket")
    call_command("backup", str(folder))
    assert (folder / "media" / name).read_bytes() == b"in a bucket"


def test_no_file_is_deleted_during_a_backup(song, folder):
    name = song.audio_file.name
    backup = back_up(folder)
    next(backup)
    with pytest.raises(BackupInProgress):
        remove_stored_file.func(name)
    assert default_storage.exists(name)

    assert list(backup) == []
    remove_stored_file.func(name)
    assert not default_storage.exists(name)


def test_the_lease_of_a_killed_backup_expires(db):
    WorkerLease.objects.create(worker="backup 1", ends_at=timezone.now() + timedelta(seconds=1))
    assert is_backup_running()
    WorkerLease.objects.update(ends_at=timezone.now())
    assert not is_backup_running()


def test_a_failed_backup_leaves_the_earlier_one_complete(song, folder, monkeypatch):
    call_command("backup", str(folder))
    before = (folder / dump_name()).read_bytes()
    Song.objects.create(title="Later", artist=song.artist, audio_file=store())
    backup = back_up(folder)
    next(backup)
    backup.close()  # as when the disk is full
    assert (folder / dump_name()).read_bytes() == before
    assert not is_backup_running()


def test_restoring_from_a_folder_without_a_backup_is_refused(db, folder):
    with pytest.raises(CommandError, match=r"database\.(dump|sqlite3)"):
        call_command("restore", str(folder))


def test_restoring_into_a_database_that_is_not_empty_is_refused(song, folder):
    call_command("backup", str(folder))
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", str(folder))
    connections.close_all()
    assert Song.objects.get() == song


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.stat().st_mode & 0o077]


def test_only_the_owner_can_read_a_backup(song, tmp_path):
    folder = tmp_path / "shared"
    (folder / "media" / "audio").mkdir(parents=True)
    from_before = folder / "media" / song.audio_file.name
    from_before.write_bytes(b"0123456789")
    for path in (folder, folder / "media", from_before):
        path.chmod(0o777)

    call_command("backup", str(folder))

    assert files_in(folder) == {dump_name(), f"media/{song.audio_file.name}"}
    assert open_to_others(folder) == []


def test_only_the_owner_can_read_stored_files_and_the_database(tmp_path):
    file = f"sqlite:///{tmp_path}/db.sqlite3"
    store_one = (
        "from django.core.files.storage import default_storage as storage;"
        "from django.core.files.base import ContentFile;"
        "storage.save('student-documents/a.pdf', ContentFile(b'%PDF-'))"
    )
    environment = {"DATABASE_URL": file, "MEDIA_ROOT": str(tmp_path / "media"), "DEBUG": "off", "X_ACCEL_REDIRECT": ""}
    before = os.umask(0o022)
    try:
        assert manage("migrate", "-v0", "users", "0001", **environment).returncode == 0
        assert manage("shell", "-v0", "-c", store_one, **environment).returncode == 0
    finally:
        os.umask(before)

    assert (tmp_path / "media" / "student-documents" / "a.pdf").exists()
    assert open_to_others(tmp_path) == []


def test_the_group_can_read_stored_files_if_nginx_sends_them(tmp_path):
    store_one = (
        "from django.core.files.storage import default_storage as storage;"
        "from django.core.files.base import ContentFile;"
        "storage.save('audio/a.mp3', ContentFile(b'ID3'))"
    )
    environment = {"MEDIA_ROOT": str(tmp_path / "media"), "X_ACCEL_REDIRECT": "/protected/"}

    assert manage("shell", "-v0", "-c", store_one, **environment).returncode == 0

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "media").rglob("*")}
    assert modes == {"audio": 0o750, "a.mp3": 0o640}
    assert (tmp_path / "media").stat().st_mode & 0o777 == 0o750
