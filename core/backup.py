"""Backups of database and files that match each other, made while the service runs, and restoring them.

A backup copies the database first and the files after it; no file is removed meanwhile. A file is stored before its
row and removed after it, so every file that the copied rows name exists when they are copied, and still does when the
files are. In the other order, the copy would have rows whose files were uploaded after the files were copied.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient
from django.utils.crypto import get_random_string

from core.jobs.leases import BACKUP
from core.jobs.worker import leased
from core.storage.inventory import StoredFile, all_stored_files, files_below
from core.storage.sweep import Names, batches


class BackupError(Exception):
    """A backup or restore that cannot be done, with a message for the operator."""


def back_up(folder: Path) -> Iterator[StoredFile]:
    """Copy database and files into the folder, yielding each file when it is there.

    Files of an earlier backup in the folder are not copied again, since a key never gets other content; those that
    the service has removed since are deleted. Raise BackupError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    media, copied = folder / "media", Names()
    media.mkdir(exist_ok=True)
    media.chmod(0o700)
    # While this lease lasts, no stored file is removed (core/storage/stored_files.py). It ends by itself if this
    # process is killed.
    with leased(BACKUP + get_random_string(32)):
        _dump_database(_partial(_dump_in(folder)))
        for files in batches(all_stored_files()):
            copied.add([file.name for file in files])
            for file in files:
                _copy(file, media / file.name)
                yield file
    os.sync()
    # Replace the earlier dump only now: until here the folder was still the earlier backup, complete.
    _partial(_dump_in(folder)).replace(_dump_in(folder))
    for files in batches(files_below(media)):
        for name in copied.lacking([file.name for file in files]):
            (media / name).unlink()


def restore(folder: Path) -> Iterator[StoredFile]:
    """Restore into an empty database and into storage, yielding each file when it is there. Raise BackupError.

    After an interruption it can be run again: the database comes last, in one transaction.
    """
    if not _dump_in(folder).exists():
        raise BackupError(f"{folder} holds no backup of this kind of database: there is no {_dump_in(folder).name}.")
    if connection.introspection.table_names():
        raise BackupError("The database is not empty. Restore into a new one, and name it in DATABASE_URL.")
    for file in files_below(folder / "media"):
        _put_back(file, folder / "media" / file.name)
        yield file
    _restore_database(_dump_in(folder))


def _dump_in(folder: Path) -> Path:
    return folder / ("database.sqlite3" if connection.vendor == "sqlite" else "database.dump")


def _partial(path: Path) -> Path:
    """Return the name under which a file is written before it replaces the whole one."""
    return path.with_name(path.name + ".new")


def _copy(file: StoredFile, target: Path) -> None:
    if target.exists() and target.stat().st_size == file.size:
        target.chmod(0o600)  # releases before 0o600 was the rule left it readable to every account
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with default_storage.open(file.name) as stored, _partial(target).open("wb") as copy:
            shutil.copyfileobj(stored, copy)
    except FileNotFoundError:  # an upload that failed just now removed its file: no row names it
        return
    _partial(target).replace(target)


def _put_back(file: StoredFile, copy: Path) -> None:
    if default_storage.exists(file.name):
        if default_storage.size(file.name) == file.size:
            return
        default_storage.delete(file.name)
    with copy.open("rb") as content:
        default_storage.save(file.name, File(content))


def _dump_database(target: Path) -> None:
    if connection.vendor == "sqlite":
        target.unlink(missing_ok=True)
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
    else:
        _run("pg_dump", "--format=custom", f"--file={target}")


def _restore_database(dump: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(dump)) as copy:
            copy.backup(connection.connection)
    else:
        _run("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(dump))


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the database. Raise BackupError if it is missing or fails."""
    folders = filter(None, [os.environ.get("PG_BINDIR"), os.environ.get("PATH")])
    path = shutil.which(program, path=os.pathsep.join(folders))
    if path is None:
        raise BackupError(f"{program} is missing: install PostgreSQL's client, or name its folder in PG_BINDIR.")
    # Django's settings for psql serve here too: the last argument is the name of the database.
    command, variables = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [*arguments, "--dbname"])
    done = subprocess.run([path, *command[1:]], env=os.environ | (variables or {}), stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise BackupError(f"{program} failed:\n{done.stderr}")
