"""Distinguish an unreachable database from an error in our code."""

from django.db import DatabaseError, InterfaceError, OperationalError


def is_database_outage(error: BaseException) -> bool:
    """Return whether the error means that the database is unreachable, locked or out of resources."""
    if isinstance(error, OperationalError | InterfaceError):
        # SQLite raises OperationalError for a missing table or column too ("no such table").
        return "no such" not in str(error)
    # psycopg2 raises the base class itself when a connection breaks off in the middle of an answer. Django raises the
    # base class too, but then without a cause.
    return type(error) is DatabaseError and error.__cause__ is not None
