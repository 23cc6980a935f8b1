"""People as others see them: an e-mail address is nobody's name."""

import re
from typing import Any
from uuid import UUID

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def public_username(username: str) -> str:
    """Return the username, or of an e-mail address the part before the @.

    `music/catalogue/song_payload.py` has the same rule in SQL.
    """
    return username.partition("@")[0]


def public_name(name: str) -> str:
    """Return the name, or of an e-mail address the part before the @. It is stored so."""
    return name.partition("@")[0] if ADDRESS.fullmatch(name.strip()) else name


def as_others_see(pk: UUID, username: str, name: str) -> dict[str, Any]:
    return {"id": pk, "username": public_username(username), "name": name}
