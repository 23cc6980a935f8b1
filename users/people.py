"""Public names of users. An e-mail address is never shown to others as a name."""

import re
from typing import Any
from uuid import UUID

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def public_username(username: str) -> str:
    """Return the username, cut before the @ if it is an e-mail address.

    `music/catalogue/song_payload.py` has the same rule in SQL.
    """
    return username.partition("@")[0]


def public_name(name: str) -> str:
    """Return the name, cut before the @ if it is an e-mail address. Names are stored like this."""
    return name.partition("@")[0] if ADDRESS.fullmatch(name.strip()) else name


def public_json(pk: UUID, username: str, name: str) -> dict[str, Any]:
    """Return a user as others see them. Every answer that names another user has these fields."""
    return {"id": pk, "username": public_username(username), "name": name}
