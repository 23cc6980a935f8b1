from threading import Lock
from typing import Any

from storages.backends import s3

client_lock = Lock()


class S3Storage(s3.S3Storage):
    """django-storages' S3 backend with one boto3 session for all threads.

    A session holds boto3's description of S3. One for each thread would cost 13 MB and a quarter of a second each.
    """

    session: Any = None

    def _create_session(self) -> Any:
        self.session = self.session or super()._create_session()
        return self.session

    @property
    def connection(self) -> Any:
        if hasattr(self._connections, "connection"):
            return self._connections.connection
        # Sessions are not thread-safe: only one thread at a time may make its client.
        with client_lock:
            return super().connection
