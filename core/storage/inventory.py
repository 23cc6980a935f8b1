"""Iteration over all stored files, on disk or in a bucket, in constant memory."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.storage import FileSystemStorage, default_storage


class StoredFile(NamedTuple):
    name: str
    size: int  # bytes
    modified: datetime


def all_stored_files() -> Iterator[StoredFile]:
    if isinstance(default_storage, FileSystemStorage):
        return files_below(Path(default_storage.location))
    return files_in_bucket(default_storage)


def files_in_bucket(storage: Any) -> Iterator[StoredFile]:
    prefix = f"{storage.location}/" if storage.location else ""
    for stored in storage.bucket.objects.filter(Prefix=prefix):  # boto fetches pages of a thousand
        yield StoredFile(stored.key.removeprefix(prefix), stored.size, stored.last_modified)


def files_below(root: Path) -> Iterator[StoredFile]:
    return _files_below(root, root) if root.exists() else iter(())


def _files_below(folder: Path, root: Path) -> Iterator[StoredFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(path, root)
            elif entry.is_file(follow_symlinks=False):
                try:
                    stat = path.stat()
                except FileNotFoundError:  # deleted since the folder was read
                    continue
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield StoredFile(path.relative_to(root).as_posix(), stat.st_size, modified)
