import sqlite3
from contextlib import closing

import pytest
from django.db import connection


@pytest.fixture
def database_of_threads(transactional_db, tmp_path):
    """Use a database file: SQLite in memory refuses a second thread, with a file it waits."""
    if connection.vendor != "sqlite":
        yield
        return
    in_memory, name = connection.connection, connection.settings_dict["NAME"]
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as on_disk:
        in_memory.backup(on_disk)
    connection.settings_dict["NAME"] = str(tmp_path / "db.sqlite3")
    connection.connect()
    yield
    connection.close()
    connection.settings_dict["NAME"] = name
    connection.connection = in_memory
