"""All that lies in storage, one by one, however much it is: on disk and in a bucket."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.storage import FileSystemStorage, default_storage


class StoredFile(NamedTuple):
    name: str
    size: int
    modified: datetime


def all_stored_files() -> Iterator[StoredFile]:
    if isinstance(default_storage, FileSystemStorage):
        return files_below(Path(default_storage.location))
    return _objects_of(default_storage)


def files_below(root: Path) -> Iterator[StoredFile]:
    return _files_below(root, root) if root.exists() else iter(())


def _files_below(folder: Path, root: Path) -> Iterator[StoredFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(path, root)
            elif entry.is_file(follow_symlinks=False) and (facts := _stat(path)):
                modified = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield StoredFile(path.relative_to(root).as_posix(), facts.st_size, modified)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # removed while we look
        return None


def _objects_of(bucket_storage: Any) -> Iterator[StoredFile]:
    """boto asks for a thousand at a time."""
    prefix = f"{bucket_storage.location}/" if bucket_storage.location else ""
    for stored in bucket_storage.bucket.objects.filter(Prefix=prefix):
        yield StoredFile(stored.key.removeprefix(prefix), stored.size, stored.last_modified)
