"""A cache in Redis, shared by all processes, that falls back to a local one while Redis is unreachable."""

import logging
import time
from threading import Lock
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 5
# Short timeouts, because requests wait for the cache. One retry, because a restart of Redis breaks open connections.
CONNECTION_OPTIONS = {
    "SOCKET_CONNECT_TIMEOUT": 0.5,
    "SOCKET_TIMEOUT": 0.5,
    "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 1, (NoConnection,))},
}

# Not pickle: it would run the code of anyone who can write to Redis.
SERIALIZER = "django_redis.serializers.json.JSONSerializer"


class Outage:
    """The state of Redis as the threads of a process know it. During an outage one of them tries it every 5 s."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.next_try: float | None = None

    def allows_try(self) -> bool:
        """Return whether the calling thread should ask Redis: always, or during an outage if it is due for a try."""
        if self.next_try is None:
            return True
        with self.lock:
            now = time.monotonic()
            if self.next_try is None or now < self.next_try:
                return self.next_try is None
            # This thread tries; the others use the local cache for another 5 s.
            self.next_try = now + SECONDS_BETWEEN_TRIES
            return True

    def begin(self, error: Exception) -> None:
        with self.lock:
            is_new, self.next_try = self.next_try is None, time.monotonic() + SECONDS_BETWEEN_TRIES
        if is_new:
            logger.warning("Redis is unreachable; each process uses a cache of its own: %r", error)

    def end(self) -> None:
        with self.lock:
            was_away, self.next_try = self.next_try is not None, None
        if was_away:
            logger.warning("Redis is reachable again.")


outage = Outage()


class SharedCache(BaseCache):
    """Django cache backend with the methods that the project uses: get, set, add, delete, incr and clear."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = {**params.get("OPTIONS", {}), **CONNECTION_OPTIONS, "SERIALIZER": SERIALIZER}
        self.shared = RedisCache(location, {**params, "OPTIONS": options})
        self.local = LocMemCache("redis fallback", params)

    def _call(self, method: str, *args: Any) -> Any:
        # Read before the call: if Redis dies while our answer is on its way, that answer must not end the outage.
        was_away = outage.next_try is not None
        if outage.allows_try():
            try:
                return getattr(self.shared, method)(*args)
            except (RedisError, OSError) as error:
                outage.begin(error)
                was_away = False
            finally:  # also after incr's ValueError for a missing key: that is an answer of Redis
                if was_away:
                    outage.end()
        return getattr(self.local, method)(*args)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return self._call("get", key, default, version)
        except ValueError:  # not JSON: written by another program, or by an older release
            return default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._call("set", key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._call("add", key, value, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._call("delete", key, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._call("incr", key, delta, version)

    def clear(self) -> None:
        self._call("clear")
