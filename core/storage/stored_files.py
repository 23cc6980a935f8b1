"""Keys of stored files, and storing and deleting files together with their rows."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models.fields.files import FieldFile

from core.jobs.leases import is_backup_running
from core.jobs.retries import retried_task


def make_key(folder: str, filename: str) -> str:
    """Return an unguessable key. Only the suffix of the file name stays; pass a name that the server made."""
    return f"{folder}/{uuid4()}{PurePath(filename).suffix.lower()}"


PICTURE_SIZES = (64, 300, 640)
PICTURE = re.compile(r"((?:covers|pictures|ads)/[0-9a-f-]{36})(\.(?:jpg|png))")
SIZED_PICTURE = re.compile(r"^((?:covers|pictures|ads)/[0-9a-f-]{36})-(?:64|300|640)(\.(?:jpg|png))$")


def sized_keys(name: str) -> dict[int, str]:
    """Return the keys of a picture's other sizes by their width; none for a file that is not a picture."""
    picture = PICTURE.fullmatch(name)
    return {size: f"{picture[1]}-{size}{picture[2]}" for size in PICTURE_SIZES} if picture else {}


def original_of(name: str) -> str:
    """Return the key of the picture of which this file is another size. Any other file's key is returned as it is."""
    return SIZED_PICTURE.sub(r"\1\2", name)


class BackupInProgress(Exception):
    """No file may be deleted now: the backup may have copied a row that names it. The task is retried."""


# After the mails, which people wait for: deleting an account removes thousands of files.
@retried_task(priority=-10)
def remove_stored_file(name: str) -> None:
    if is_backup_running():
        raise BackupInProgress(name)
    for key in (name, *sized_keys(name).values()):
        default_storage.delete(key)


def discard(name: str | None) -> None:
    """Delete a stored file after the current transaction commits."""
    if name:
        # The queue is a table, so the task is committed or rolled back together with the rows.
        remove_stored_file.enqueue(name)


def discard_files_of(sender: type[models.Model], instance: models.Model, **kwargs: object) -> None:
    """Delete the files of a deleted row. Receiver for post_delete, which cascades and the admin send too."""
    for field in instance._meta.concrete_fields:
        value = getattr(instance, field.attname)
        if isinstance(value, FieldFile):
            discard(value.name)


def save_with_file(
    instance: Any, file_field: str, together_with: Callable[[], None] = lambda: None, **given: Any
) -> Any:
    """Set the given fields and save the row. A given file, or None, replaces the row's file.

    The new file is stored first, under a new key, and deleted if the row cannot be written; the old one is deleted
    after commit. `together_with` writes other rows in the same transaction. Raise the model's DoesNotExist if the row
    was deleted meanwhile.
    """
    file = given.get(file_field)
    key = instance._meta.get_field(file_field).generate_filename(instance, file.name) if file else ""
    with delete_on_failure(key):
        if file:
            default_storage.save(key, file)
        with transaction.atomic():
            together_with()
            if not instance._state.adding:
                # Read the row again under a lock: of two changes at the same time, neither may undo the other or keep
                # naming the file that the other one replaced.
                instance = type(instance)._default_manager.select_for_update().get(pk=instance.pk)
            if file_field in given:
                discard(getattr(instance, file_field).name)
                given[file_field] = key
            for name, value in given.items():
                setattr(instance, name, value)
            instance.save()
    return instance


@contextmanager
def delete_on_failure(name: str | None) -> Iterator[None]:
    """Delete the stored file if the block raises, be it SystemExit."""
    try:
        yield
    except BaseException:
        if name:
            try:
                default_storage.delete(name)
            except Exception:  # the storage is unreachable, which may have been the first error too
                discard(name)
        raise
