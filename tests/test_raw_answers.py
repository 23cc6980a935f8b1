"""Raw responses of the production server, which a test client or another server would normalize."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.processes import manage, server

SONG = """
from django.core.files.base import ContentFile
from music.models import Song, SongCounts
from users.models import User

artist = User.objects.create_user("artist@example.com", "artist", role="artist")
song = Song(title="A song", artist=artist, audio_format="mp3", bitrate=96)
song.audio_file.save("song.mp3", ContentFile(b"0123456789"), save=False)
song.save()
SongCounts.objects.create(song=song)
print("id", song.pk)
"""
Ask = Callable[..., tuple[str, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Yield the id of a song and the port of a server that has it."""
    folder = tmp_path_factory.mktemp("service")
    environment = {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "MEDIA_ROOT": f"{folder}/media"}
    migrated = manage("migrate", "-v0", environment=environment)
    assert migrated.returncode == 0, migrated.stderr
    made = manage("shell", "-v0", "-c", SONG, environment=environment)
    assert made.returncode == 0, made.stderr
    with server(environment) as running:
        yield made.stdout.split()[-1], int(running.url.rpartition(":")[2])


@pytest.fixture
def ask(service: tuple[str, int]) -> Iterator[Ask]:
    """Yield a function that returns status line, headers and body, all over one connection."""
    with socket.create_connection(("127.0.0.1", service[1]), timeout=20) as connection:
        stream = connection.makefile("rb")

        def asked(path: str, **headers: str) -> tuple[str, dict[str, str], bytes]:
            lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            status = stream.readline().decode().strip()
            said = {}
            while line := stream.readline().decode().strip():
                name, _, value = line.partition(": ")
                said[name.lower()] = value
            return status, said, stream.read(int(said.get("content-length", 0)))

        yield asked


def test_a_304_has_no_length_and_the_connection_stays_usable(service: tuple[str, int], ask: Ask):
    song, _ = service

    for path in (f"/api/songs/{song}", "/api/songs", f"/api/songs/{song}/stream"):
        _, whole, body = ask(path)
        assert len(body) > 0
        for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=99-"}):
            status, said, _ = ask(path, If_None_Match=whole["etag"], **headers)
            assert status == "HTTP/1.1 304 Not Modified", path
            assert not {"content-length", "content-type", "transfer-encoding"} & said.keys(), path
            assert (said["etag"], said["vary"], said["cache-control"]) == (
                whole["etag"], whole["vary"], whole["cache-control"]
            )  # fmt: skip


def test_a_range_is_206_and_an_unknown_etag_412(service: tuple[str, int], ask: Ask):
    path = f"/api/songs/{service[0]}/stream"

    status, said, body = ask(path, Range="bytes=2-4", If_Unmodified_Since="Sun, 01 Jan 2006 10:00:00 GMT")
    assert (status, said["content-range"], body) == ("HTTP/1.1 206 Partial Content", "bytes 2-4/10", b"234")
    status, said, body = ask(path, If_Match='"another"')
    assert status == "HTTP/1.1 412 Precondition Failed"
    assert said["content-type"] == "application/json"
    assert b'"code":"precondition_failed"' in body
