"""Installation of the catalogue's triggers (song_payload.py, totals.py) after each `migrate`.

They are not created by migrations because SQLite alters a column by rebuilding its table, which fails while a trigger
refers to the table. On SQLite all triggers are dropped before each `migrate` and created after it. On PostgreSQL they
stay in place, since other processes may be writing, and are replaced only when their definitions have changed.
"""

import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from music.catalogue import song_payload, totals

DEFINITIONS = {
    "postgresql": song_payload.postgres_statements() + totals.postgres_statements(),
    "sqlite": song_payload.sqlite_statements() + totals.sqlite_statements(),
}
FILL = song_payload.FILL + totals.FILL
NAME = re.compile(r"\s*CREATE (TRIGGER|FUNCTION) (\w+)")


def before_migrate(using: str, **kwargs: Any) -> None:
    """Drop the triggers on SQLite. Receiver for pre_migrate."""
    if connections[using].vendor == "sqlite":
        _drop(connections[using])


def after_migrate(using: str, plan: Sequence = (), **kwargs: Any) -> None:
    """Create triggers that are missing or outdated, and compute the values they maintain. Receiver for post_migrate."""
    connection = connections[using]
    definitions = DEFINITIONS[connection.vendor]
    # A checksum of 31 bits, since SQLite's user_version is a signed number of 32 bits.
    version = crc32("".join(definitions + FILL).encode()) >> 1
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if not _has_columns(connection):  # migrated backwards, to a schema without these columns
            _drop(connection)
            return
        is_current = _installed_version(connection) == version
        if is_current and connection.vendor == "postgresql":
            return
        _drop(connection)
        for statement in definitions:
            cursor.execute(statement)
        # On SQLite migrations have changed rows while there were no triggers.
        for statement in FILL if plan or not is_current else []:
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute(f"COMMENT ON FUNCTION music_card() IS '{version}'")
        else:
            cursor.execute(f"PRAGMA user_version = {version}")


def _drop(connection: BaseDatabaseWrapper) -> None:
    # On PostgreSQL dropping a function drops the triggers that call it (CASCADE).
    kind, ending = ("FUNCTION", " CASCADE") if connection.vendor == "postgresql" else ("TRIGGER", "")
    with connection.cursor() as cursor:
        for statement in DEFINITIONS[connection.vendor]:
            made, name = NAME.match(statement).groups()  # type: ignore[union-attr]
            if made == kind:
                cursor.execute(f"DROP {kind} IF EXISTS {name}{ending}")


def _installed_version(connection: BaseDatabaseWrapper) -> int:
    """Return the checksum of the definitions that were installed last; 0 if none were."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT coalesce(obj_description(to_regprocedure('music_card()')), '0')")
        else:
            cursor.execute("PRAGMA user_version")
        return int(cursor.fetchone()[0])


def _has_columns(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if "music_song" not in tables:
            return False
        columns = connection.introspection.get_table_description(cursor, "music_song")
        # The column that was added last of all those that the triggers refer to.
        return "disc_number" in {column.name for column in columns}
