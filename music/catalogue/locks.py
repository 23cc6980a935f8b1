"""Row locks that serialise actions (like, play, follow …) with concurrent deletions.

An action locks the user, then the song, album or artist, then writes its row, and updates the counter last. A deletion
locks what it deletes before it touches any row that refers to it, and there is only one deletion at a time. So there
are no deadlocks, no action is added to something that is being deleted, and no count is subtracted twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Model
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from core.errors import NotFound
from music.catalogue.models import Album, Song
from users.models import User

DELETIONS = 0x6D75736963  # number of the advisory lock, used for nothing else


@contextmanager
def lock_for_action(person: User, *things: Model) -> Iterator[None]:
    """A transaction in which these stay; NotFound where one of them has gone. A person does one thing at a time."""
    with transaction.atomic():
        _lock_row(person, "FOR NO KEY UPDATE")
        for thing in things:
            # The lock that a foreign key takes too, but taken before the row is written. Being shared, it does not make
            # actions of other users wait.
            _lock_row(thing, "FOR KEY SHARE")
        yield


@receiver(pre_delete, sender=Album)
@receiver(pre_delete, sender=Song)
def lock_for_deletion(instance: Model, **kwargs: object) -> None:
    """Wait for running actions on the object; later ones wait for the deletion and then find it gone."""
    lock_deletions()
    type(instance)._base_manager.select_for_update().filter(pk=instance.pk).first()


def lock_deletions() -> None:
    """Wait for other deletions, and make later ones wait until the transaction ends."""
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DELETIONS])


def _lock_row(row: Model, lock: str) -> None:
    rows = type(row)._base_manager.filter(pk=row.pk).values("pk")
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        # As raw SQL, since Django does not support FOR KEY SHARE.
        cursor.execute(f"{sql} {lock}" if connection.features.has_select_for_update else sql, params)
        if cursor.fetchone() is None:
            raise NotFound
