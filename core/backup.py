"""A copy of database and files that goes together, made while the service runs, and the way back.

The database comes first, the files after it, and as long as that takes no file is removed. A file is stored before its
row and removed after it, so whatever the copied rows name was there when they were copied, and still is when the files
are. The other way round, rows would come along whose files had not been there yet.
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
    """Why it can't be done, for whoever asked for it."""


def back_up(folder: Path) -> Iterator[StoredFile]:
    """Into a folder, yielding each file that it has dealt with. What an earlier backup left there is not copied again,
    since a key never gets other content, and what has gone since goes there too.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    media, copied = folder / "media", Names()
    media.mkdir(exist_ok=True)
    media.chmod(0o700)
    # Renewed beside the work and ending by itself if we are killed. Removals wait for it, and nothing else does.
    with leased(BACKUP + get_random_string(32)):
        _dump_database(_new(_dump_in(folder)))
        for files in batches(all_stored_files()):
            copied.add([file.name for file in files])
            for file in files:
                _copy(file, media / file.name)
                yield file
    os.sync()
    # From here on it is the backup; until then the earlier one was whole.
    _new(_dump_in(folder)).replace(_dump_in(folder))
    for files in batches(files_below(media)):
        for name in copied.lacking([file.name for file in files]):
            (media / name).unlink()


def restore(folder: Path) -> Iterator[StoredFile]:
    """Into an empty database, yielding each file that it has put into storage. Interrupted, it can be run again: the
    database comes last, and whole or not at all.
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


def _new(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _copy(file: StoredFile, target: Path) -> None:
    if target.exists() and target.stat().st_size == file.size:
        target.chmod(0o600)  # older versions let every account of the machine read it
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with default_storage.open(file.name) as stored, _new(target).open("wb") as copy:
            shutil.copyfileobj(stored, copy)
    except FileNotFoundError:  # of an upload that failed just now: no row names it
        return
    _new(target).replace(target)


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
    """One of PostgreSQL's programs, on our database."""
    folders = filter(None, [os.environ.get("PG_BINDIR"), os.environ.get("PATH")])
    path = shutil.which(program, path=os.pathsep.join(folders))
    if path is None:
        raise BackupError(f"{program} is missing: install PostgreSQL's client, or name its folder in PG_BINDIR.")
    # As Django starts psql: the name of the database is last.
    command, variables = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [*arguments, "--dbname"])
    done = subprocess.run([path, *command[1:]], env=os.environ | (variables or {}), stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise BackupError(f"{program} failed:\n{done.stderr}")
