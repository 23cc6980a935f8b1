"""Telling a database that is away from a mistake of ours."""

from django.db import DatabaseError, InterfaceError, OperationalError


def is_database_outage(error: BaseException) -> bool:
    if isinstance(error, OperationalError | InterfaceError):
        # SQLite calls a missing table or column an operational error too.
        return "no such" not in str(error)
    # psycopg2 has nothing but the base class for a connection that breaks off in the middle of an answer; Django uses
    # it too, but then for a reason of its own, without a cause.
    return type(error) is DatabaseError and error.__cause__ is not None
