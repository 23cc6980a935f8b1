from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def test_threads_have_clients_of_their_own_and_share_the_session(use_store, s3_server):
    use_store(s3_server)
    together = Barrier(8)

    def store(number):
        together.wait()
        name = default_storage.save(f"shared/{number}", ContentFile(b"content"))
        with default_storage.open(name) as stored:
            return default_storage.connection, default_storage.session, stored.read()

    with ThreadPoolExecutor(8) as threads:
        connections, sessions, contents = zip(*threads.map(store, range(8)), strict=True)

    assert set(contents) == {b"content"}
    assert len({id(connection) for connection in connections}) == 8
    assert len({id(session) for session in sessions}) == 1
