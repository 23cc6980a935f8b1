"""Answers while the database or the storage is unreachable."""

from contextlib import ExitStack

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from core.db.outages import is_database_outage
from core.http.uploads import UnnamedFileUploadHandler


def broken_off() -> DatabaseError:
    """Return the error that Django raises when a connection breaks off in the middle of an answer."""
    error = DatabaseError("server closed the connection unexpectedly")
    error.__cause__ = Exception("server closed the connection unexpectedly")
    return error


OUTAGES = [OperationalError("the database system is shutting down"), InterfaceError("connection already closed")]


@pytest.fixture
def failing(db):
    """`failing(error)`: every database query from now on raises the error."""
    with ExitStack() as wrappers:

        def fail(error):
            def raise_it(*args):
                raise error

            wrappers.enter_context(connection.execute_wrapper(raise_it))

        yield fail


@pytest.mark.parametrize("error", [*OUTAGES, broken_off()], ids=repr)
def test_an_unreachable_database_is_503_in_the_error_shape(api_as, listener, failing, error):
    client = api_as(listener)
    client.raise_request_exception = False
    failing(error)
    answer = client.get("/api/profile")
    assert answer.status_code == 503
    assert answer.json()["type"] == "server_error"
    assert answer.json()["errors"][0]["code"] == "database_unavailable"


@pytest.mark.parametrize("path", ["/api/songs", "/admin/"])
def test_an_unreachable_database_is_503_outside_of_views_too(client, listener, failing, path):
    # The session's account is loaded by the first code that needs it, which may be a middleware or an admin page.
    client.raise_request_exception = False
    client.force_login(listener)
    failing(OUTAGES[0])
    answer = client.get(path)
    assert answer.status_code == 503
    assert path == "/admin/" or answer.json()["errors"][0]["code"] == "database_unavailable"


def test_errors_in_our_sql_are_no_outage():
    assert not is_database_outage(OperationalError("no such table: music_song"))
    assert not is_database_outage(DatabaseError("Forced update did not affect any rows."))
    assert not is_database_outage(ValueError("no"))


def test_large_uploads_are_stored_in_unnamed_temporary_files(rf, tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    handler = UnnamedFileUploadHandler(rf.post("/"))
    handler.new_file("file", "song.mp3", "audio/mpeg", 10)
    handler.receive_data_chunk(b"0123456789", 0)
    assert list(tmp_path.iterdir()) == []
    assert handler.file_complete(10).read() == b"0123456789"
    handler.upload_interrupted()
    assert handler.file.closed
