"""Redis as the cache of all processes. While it is away, each process goes on with a cache of its own."""

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
# No request waits longer for a cache. A second try, because a restart of Redis breaks the connections that are open.
PATIENCE = {
    "SOCKET_CONNECT_TIMEOUT": 0.5,
    "SOCKET_TIMEOUT": 0.5,
    "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 1, (NoConnection,))},
}

# A pickle would execute the code of whoever can write to Redis.
SERIALIZER = "django_redis.serializers.json.JSONSerializer"


class Outage:
    """What the threads of a process know of Redis: while it is away, one of them looks for it now and then."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.next_try: float | None = None

    def is_over(self) -> bool:
        if self.next_try is None:
            return True
        with self.lock:
            now = time.monotonic()
            if self.next_try is None or now < self.next_try:
                return self.next_try is None
            self.next_try = now + SECONDS_BETWEEN_TRIES
            return True

    def begin(self, error: Exception) -> None:
        with self.lock:
            is_new, self.next_try = self.next_try is None, time.monotonic() + SECONDS_BETWEEN_TRIES
        if is_new:
            logger.warning("Redis is away, and each process goes on with a cache of its own: %r", error)

    def end(self) -> None:
        with self.lock:
            was_away, self.next_try = self.next_try is not None, None
        if was_away:
            logger.warning("Redis is back.")


outage = Outage()


class SharedCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = {**params.get("OPTIONS", {}), **PATIENCE, "SERIALIZER": SERIALIZER}
        self.shared = RedisCache(location, {**params, "OPTIONS": options})
        self.own = LocMemCache("while Redis is away", params)

    def _ask(self, deed: str, *args: Any) -> Any:
        was_away = outage.next_try is not None  # before asking: an answer on its way as Redis dies is no return
        if outage.is_over():
            try:
                return getattr(self.shared, deed)(*args)
            except (RedisError, OSError) as error:
                outage.begin(error)
                was_away = False
            finally:  # also where there is nothing to count up from: that is an answer
                if was_away:
                    outage.end()
        return getattr(self.own, deed)(*args)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return self._ask("get", key, default, version)
        except ValueError:  # not JSON: written by an older version, or by a stranger
            return default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask("set", key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask("add", key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask("touch", key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._ask("delete", key, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._ask("incr", key, delta, version)

    def clear(self) -> None:
        self._ask("clear")
