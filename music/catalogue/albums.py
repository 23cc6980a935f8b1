from typing import Any

from core.storage.stored_files import save_with_file
from music.catalogue.models import Album
from users.models import User


def create_album(*, artist: User, **given: Any) -> Album:
    return change_album(Album(artist=artist), **given)


def change_album(album: Album, **given: Any) -> Album:
    """Change the given fields. `cover_image` is a new image, or None to have none."""
    return save_with_file(album, "cover_image", **given)
