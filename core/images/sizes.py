"""Stored pictures in other sizes, each made at the first request for it."""

import os
from pathlib import PurePath
from threading import Lock

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from core.images.reencoder import square_image
from core.storage.stored_files import make_key, sized_keys

# Of two simultaneous requests for the same size, one makes it and the other waits. Striped: a key picks a lock.
locks = [Lock() for _ in range(64)]


def ensure_size(name: str, size: int) -> str:
    """Return the key of a stored picture's square of this size, making it if needed.

    Raise FileNotFoundError if there is no such picture.
    """
    key = sized_keys(name)[size]
    if default_storage.exists(key):
        return key
    with locks[hash(key) % len(locks)]:
        if not default_storage.exists(key):
            with default_storage.open(name) as picture:
                _store(key, square_image(picture, size))
            # The picture may have been deleted meanwhile, and its sizes just before we stored ours: delete it again.
            if not default_storage.exists(name):
                default_storage.delete(key)
                raise FileNotFoundError(name)
    return key


def _store(key: str, content: ContentFile) -> None:
    """Store the file under exactly this key, atomically. Another process may be storing the same bytes."""
    if isinstance(default_storage, FileSystemStorage):
        written = default_storage.save(make_key(str(PurePath(key).parent), key), content)
        os.replace(default_storage.path(written), default_storage.path(key))
    elif (saved := default_storage.save(key, content)) != key:
        default_storage.delete(saved)
