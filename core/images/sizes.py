"""Stored pictures in other sizes, each made when it is first asked for."""

import os
from pathlib import PurePath
from threading import Lock

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from core.images.reencoder import square_image
from core.storage.stored_files import make_key, sized_keys

# Of two requests for the same size at the same moment one makes it and the other waits.
making = [Lock() for _ in range(64)]


def ensure_size(name: str, size: int) -> str:
    """Return the key of a stored picture's square of this size, making it if needed.

    Raises FileNotFoundError where the picture is not there.
    """
    key = sized_keys(name)[size]
    if default_storage.exists(key):
        return key
    with making[hash(key) % len(making)]:
        if not default_storage.exists(key):
            with default_storage.open(name) as picture:
                _store(key, square_image(picture, size))
            # The picture may have been removed meanwhile, and its other sizes a moment too early.
            if not default_storage.exists(name):
                default_storage.delete(key)
                raise FileNotFoundError(name)
    return key


def _store(key: str, content: ContentFile) -> None:
    """Store the file whole or not at all. Another process may store the same bytes at the same moment."""
    if isinstance(default_storage, FileSystemStorage):
        written = default_storage.save(make_key(str(PurePath(key).parent), key), content)
        os.replace(default_storage.path(written), default_storage.path(key))
    elif (saved := default_storage.save(key, content)) != key:
        default_storage.delete(saved)
