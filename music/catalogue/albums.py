from typing import Any

from core.storage.stored_files import save_with_file
from music.catalogue.models import Album
from users.models import User


def create_album(*, artist: User, **fields: Any) -> Album:
    return change_album(Album(artist=artist), **fields)


def change_album(album: Album, **changes: Any) -> Album:
    """Change fields of an album. `cover_image` is the new image, or None to remove it."""
    return save_with_file(album, "cover_image", **changes)
