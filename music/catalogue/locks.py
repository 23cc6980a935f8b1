"""What keeps a deed (a like, a play, a follow …) and a deletion at the same moment from spoiling each other.

A deed holds the person, then the thing, then writes its row and last the counter. A deletion holds what is to go
before it touches anything that hangs on it, and there is one deletion at a time. So nobody waits in a circle, no row
is added about something that is just going, and no share is taken back twice.
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

DELETIONS = 0x6D75736963  # any number that is used for nothing else


@contextmanager
def lock_for_action(person: User, *things: Model) -> Iterator[None]:
    """A transaction in which these stay; NotFound where one of them has gone. A person does one thing at a time."""
    with transaction.atomic():
        _hold(person, "FOR NO KEY UPDATE")
        for thing in things:
            # As the foreign keys do, but not only at commit. Others' deeds with the thing don't wait for it.
            _hold(thing, "FOR KEY SHARE")
        yield


@receiver(pre_delete, sender=Album)
@receiver(pre_delete, sender=Song)
def lock_for_deletion(instance: Model, **kwargs: object) -> None:
    """Deeds that are on their way end first, and later ones wait and then find nothing."""
    lock_deletions()
    type(instance)._base_manager.select_for_update().filter(pk=instance.pk).first()


def lock_deletions() -> None:
    """And keep later ones waiting until the transaction ends."""
    if connection.vendor == "postgresql":  # SQLite has one writer at a time
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DELETIONS])


def _hold(row: Model, lock: str) -> None:
    rows = type(row)._base_manager.filter(pk=row.pk).values("pk")
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        # Django knows no FOR KEY SHARE.
        cursor.execute(f"{sql} {lock}" if connection.features.has_select_for_update else sql, params)
        if cursor.fetchone() is None:
            raise NotFound
