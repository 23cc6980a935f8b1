"""Where files get their names, and how they go."""

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
    """A name that nobody can guess; of the given one only the ending stays, which is ours already."""
    return f"{folder}/{uuid4()}{PurePath(filename).suffix.lower()}"


PICTURE_SIZES = (64, 300, 640)
PICTURE = re.compile(r"((?:covers|pictures|ads)/[0-9a-f-]{36})(\.(?:jpg|png))")
SIZED_PICTURE = re.compile(r"^((?:covers|pictures|ads)/[0-9a-f-]{36})-(?:64|300|640)(\.(?:jpg|png))$")


def sized_keys(name: str) -> dict[int, str]:
    """Return the key of each other size that a stored picture comes in; none for a file that is no picture."""
    picture = PICTURE.fullmatch(name)
    return {size: f"{picture[1]}-{size}{picture[2]}" for size in PICTURE_SIZES} if picture else {}


def original_of(name: str) -> str:
    """Return the key of the picture that a stored file is another size of; any other file's own."""
    return SIZED_PICTURE.sub(r"\1\2", name)


class BackupInProgress(Exception):
    """Not now: rows that name the file may just have been copied. The task is tried again."""


# After the mails, which people wait for: closing an account removes thousands of files.
@retried_task(priority=-10)
def remove_stored_file(name: str) -> None:
    if is_backup_running():
        raise BackupInProgress(name)
    for key in (name, *sized_keys(name).values()):
        default_storage.delete(key)


def discard(name: str | None) -> None:
    """Have a stored file removed once the transaction that no longer needs it has been committed."""
    if name:
        # The queue is a table: the order to remove is committed or rolled back with the rows around it.
        remove_stored_file.enqueue(name)


def discard_files_of(sender: type[models.Model], instance: models.Model, **kwargs: object) -> None:
    """Receiver for post_delete: whatever way a row goes, its files go too."""
    for field in instance._meta.concrete_fields:
        value = getattr(instance, field.attname)
        if isinstance(value, FieldFile):
            discard(value.name)


def save_with_file(
    instance: Any, file_field: str, together_with: Callable[[], None] = lambda: None, **given: Any
) -> Any:
    """Save a row with its given fields; a given file (or None) replaces the one that it had.

    The new file is stored first, under a key of its own, and goes again if the row can't be written; the old one
    goes after commit. `together_with` writes other rows in the same transaction. Raises the model's DoesNotExist
    where the row was deleted meanwhile.
    """
    file = given.get(file_field)
    key = instance._meta.get_field(file_field).generate_filename(instance, file.name) if file else ""
    with delete_on_failure(key):
        if file:
            default_storage.save(key, file)
        with transaction.atomic():
            together_with()
            if not instance._state.adding:
                # As it is now: of two changes at the same time neither may undo the other, or keep a file that went.
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
    try:
        yield
    except BaseException:
        if name:
            _remove_now_or_later(name)
        raise


def _remove_now_or_later(name: str) -> None:
    try:
        default_storage.delete(name)
    except Exception:  # the storage is away, which may be why we are here
        discard(name)
