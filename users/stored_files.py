"""Where files get their names, and how they go."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from django_tasks import task

logger = logging.getLogger(__name__)


def new_key(folder: str, filename: str) -> str:
    """A name that nobody can guess; of the given one only the ending stays, which is ours already."""
    return f"{folder}/{uuid4()}{PurePath(filename).suffix.lower()}"


@task()
def remove_stored_file(name: str, attempt: int = 1) -> None:
    try:
        default_storage.delete(name)
    except Exception:
        logger.warning("Could not remove %s (attempt %d); it will be tried again.", name, attempt, exc_info=True)
        pause = timedelta(seconds=min(30 * 2**attempt, 24 * 3600))
        remove_stored_file.using(run_after=timezone.now() + pause).enqueue(name, attempt + 1)


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

    The new file is stored first, under a key of its own, and goes again if the row can't be written; the old
    one goes after commit. `together_with` writes other rows in the same transaction.
    """
    replaced = getattr(instance, file_field).name if file_field in given else None
    new = given.pop(file_field, None)
    for name, value in given.items():
        setattr(instance, name, value)
    if replaced is not None:
        setattr(instance, file_field, "")
    if new is not None:
        getattr(instance, file_field).save(new.name, new, save=False)
    with removed_on_failure(getattr(instance, file_field).name if new else None), transaction.atomic():
        together_with()
        instance.save()
        discard(replaced)
    return instance


@contextmanager
def removed_on_failure(name: str | None) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if name:
            default_storage.delete(name)
        raise
