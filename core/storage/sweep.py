"""Comparison of storage and database: files that no row names, and rows whose file is missing.

Each side is read once, as a stream. Names are remembered as digests of 8 bytes, so that the four million files of a
million songs with renditions take about 32 MB.
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from core.storage.inventory import StoredFile, all_stored_files
from core.storage.signals import unnamed_files_found
from core.storage.stored_files import original_of

BATCH = 10_000
# Keys of `make_key`, with anything appended. Files with other names are not ours to delete.
OUR_NAME = re.compile(r"[a-z-]+/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}[^/]*")


class Sweep:
    """One comparison. Iterate over `unnamed` to its end first: `missing` needs what it has read."""

    def __init__(self) -> None:
        self.named, self.stored = Names(), Names()

    def unnamed(self, *, older_than: timedelta) -> Iterator[StoredFile]:
        """Yield files that no row names, except young ones, whose row may not be written yet."""
        for names in batches(stored_names()):
            self.named.add(names)
        for files in batches(all_stored_files()):
            self.stored.add([file.name for file in files])
            latest = timezone.now() - older_than
            old = [file for file in files if file.modified <= latest and OUR_NAME.fullmatch(file.name)]
            # Rows name the picture alone: its other sizes are needed as long as it is.
            originals = {original_of(file.name) for file in old}
            unneeded = set(_without_needed(self.named.lacking(sorted(originals))))
            yield from (file for file in old if original_of(file.name) in unneeded)

    def missing(self) -> Iterator[str]:
        """Yield a line of text for each row whose file is missing."""
        for field in file_fields():
            for batch in batches(_rows_with(field)):
                absent = set(self.stored.lacking([name for _, name in batch]))
                for pk, name in batch:
                    if name in absent and _is_still_missing(field, pk, name):
                        model = field.model._meta.verbose_name
                        yield f"{model} {pk}: its {field.verbose_name} {name} is missing"


class Names:
    """A set of names in 8 bytes each, as sorted digests."""

    def __init__(self) -> None:
        self.digests = np.empty(0, np.uint64)
        self.new: list[np.ndarray] = []

    def add(self, names: list[str]) -> None:
        self.new.append(digests_of(names))

    def __bool__(self) -> bool:
        return bool(self.new or self.digests.size)

    def lacking(self, names: list[str]) -> list[str]:
        """Return those of the names that are not in the set."""
        if self.new:
            self.digests = np.sort(np.concatenate([self.digests, *self.new]))
            self.new = []
        wanted = digests_of(names)
        before, after = (np.searchsorted(self.digests, wanted, side) for side in ("left", "right"))
        return [name for name, is_known in zip(names, before < after, strict=True) if not is_known]


def digests_of(names: list[str]) -> np.ndarray:
    joined = b"".join(blake2b(os.fsencode(name), digest_size=8).digest() for name in names)
    return np.frombuffer(joined, np.uint64)


def file_fields() -> Iterator[models.FileField]:
    for model in apps.get_models():
        yield from (field for field in model._meta.local_concrete_fields if isinstance(field, models.FileField))


def stored_names() -> Iterator[str]:
    for field in file_fields():
        for _, name in _rows_with(field):
            yield name


def _rows_with(field: models.FileField) -> Iterator[tuple[Any, str]]:
    rows = _rows_of(field).exclude(**{field.name: ""}).values_list("pk", field.name)
    return rows.iterator(chunk_size=BATCH)


def _rows_of(field: models.FileField) -> models.QuerySet:
    return field.model._base_manager.order_by()


def _without_needed(names: list[str]) -> list[str]:
    """Return those of the names that are still unneeded when the database is asked again.

    A row may have been written since it was read, and a worker may be about to write one.
    """
    if not names:
        return []
    needed: set[str] = set()
    for field in file_fields():
        needed.update(_rows_of(field).filter(**{f"{field.name}__in": names}).values_list(field.name, flat=True))
    for _, needed_by_receiver in unnamed_files_found.send(Sweep, names=frozenset(names)):
        needed.update(needed_by_receiver or ())
    return [name for name in names if name not in needed]


def _is_still_missing(field: models.FileField, pk: Any, name: str) -> bool:
    """Look again: since the sweep began the file may have been stored, or its row deleted."""
    return not default_storage.exists(name) and _rows_of(field).filter(**{"pk": pk, field.name: name}).exists()


def batches(rows: Iterable) -> Iterator[list]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
