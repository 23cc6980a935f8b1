from threading import Lock
from typing import Any

from storages.backends import s3

creating = Lock()


class S3Storage(s3.S3Storage):
    """With one session for all threads, where each had its own: that is 13 MB and a quarter of a second for each.

    A session keeps boto3's description of S3, which is large. Its clients may be made by one thread at a time only.
    """

    session: Any = None

    def _create_session(self) -> Any:
        self.session = self.session or super()._create_session()
        return self.session

    @property
    def connection(self) -> Any:
        if hasattr(self._connections, "connection"):
            return self._connections.connection
        with creating:
            return super().connection
