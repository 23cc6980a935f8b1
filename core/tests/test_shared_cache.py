"""The shared cache on a real Redis, and requests while Redis is unreachable."""

import http.client
import logging
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches
from redis import Redis

from core import cache as shared_cache
from core.cache import Outage, SharedCache
from music.models import Song, SongCounts
from tests.processes import answers, redis, server


@pytest.fixture(scope="module")
def redis_process():
    with redis() as process:
        yield process


@pytest.fixture
def running_redis(redis_process, monkeypatch):
    """Return a running Redis, whatever the last test did to it."""
    monkeypatch.setattr(shared_cache, "outage", Outage())
    if not redis_process.is_running():
        redis_process.start()
    redis_process.wait_until_ready()
    yield redis_process
    if redis_process.is_running():
        redis_process.running.send_signal(signal.SIGCONT)


@pytest.fixture
def cache(running_redis, settings):
    """Put the default cache on Redis."""
    shared = {"BACKEND": "core.cache.SharedCache", "LOCATION": running_redis.url}
    settings.CACHES = {**settings.CACHES, "default": shared}
    cache = caches["default"]
    cache.clear()
    cache.local.clear()
    return cache


def another(process):
    """Return the cache as another process sees it."""
    return SharedCache(process.url, {})


def seconds_of(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def test_processes_share_the_cache(cache, running_redis):
    cache.set("song", {"title": "Kettle"}, 60)
    cache.add("asked", 1, 60)

    other = another(running_redis)
    assert other.get("song") == {"title": "Kettle"}
    assert (other.add("asked", 1, 60), other.incr("asked"), cache.get("asked")) == (False, 2, 2)
    other.delete("song")
    assert cache.get("song", "gone") == "gone"


class Planted:
    """Object that runs code when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_a_pickle_in_redis_is_not_executed_and_counts_as_missing(cache, running_redis, tmp_path):
    stranger = Redis.from_url(running_redis.url)
    stranger.set(":1:planted", pickle.dumps(Planted(tmp_path / "executed")))
    stranger.set(":1:noise", b"\x80\xff not JSON")

    assert cache.get("planted") is None
    assert cache.get("noise", "missing") == "missing"
    assert not (tmp_path / "executed").exists()


@pytest.mark.django_db
def test_everything_that_is_cached_is_json(cache, api, artist):
    for title in ("One", "Two"):
        SongCounts.objects.create(song=Song.objects.create(title=title, artist=artist))

    for _ in range(2):  # computed, then read from the cache
        drawn = api.get("/api/songs/random").json()["results"]
        assert {song["title"] for song in drawn} == {"One", "Two"}
        assert api.get("/api/songs/trending").status_code == 200
    assert cache.shared.get("song_numbers")[0] >= 0


def test_no_cache_method_fails_while_redis_is_unreachable(cache, running_redis):
    running_redis.kill()

    assert cache.add("a", 1, 60) is True
    assert cache.incr("a") == 2
    assert cache.decr("a") == 1
    cache.set("b", "x", 60)
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": "x"}
    assert cache.get_or_set("c", lambda: 3, 60) == 3
    assert cache.delete("c") is True
    assert cache.has_key("c") is False
    cache.set_many({"d": 4}, 60)
    cache.delete_many(["d"])
    cache.clear()
    assert cache.get("a") is None


def test_the_start_and_the_end_of_an_outage_are_logged_once(cache, running_redis, caplog, monkeypatch):
    monkeypatch.setattr(shared_cache, "SECONDS_BETWEEN_TRIES", 0)
    running_redis.kill()
    for _ in range(5):
        cache.get("a")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Redis is unreachable" in caplog.text

    running_redis.start()
    running_redis.wait_until_ready()
    cache.set("a", 1, 60)

    assert another(running_redis).get("a") == 1
    assert [record.message for record in caplog.records][1:] == ["Redis is reachable again."]


def test_a_missing_key_ends_an_outage_too(cache, running_redis, monkeypatch):
    monkeypatch.setattr(shared_cache, "SECONDS_BETWEEN_TRIES", 0)
    running_redis.kill()
    cache.get("a")
    running_redis.start()
    running_redis.wait_until_ready()

    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")

    assert shared_cache.outage.next_try is None


def test_a_late_answer_does_not_end_an_outage_that_began_meanwhile(cache, running_redis, monkeypatch):
    def answered_late(*args):
        shared_cache.outage.begin(ConnectionError("as another thread found out"))
        return "late"

    monkeypatch.setattr(cache.shared, "get", answered_late)

    assert cache.get("a") == "late"
    assert shared_cache.outage.next_try is not None


def test_a_restart_of_redis_between_calls_is_no_outage(cache, running_redis, caplog):
    cache.set("a", 1, 60)
    running_redis.kill()
    running_redis.start()
    running_redis.wait_until_ready()

    cache.set("b", 2, 60)

    assert another(running_redis).get("b") == 2
    assert not caplog.records


def test_a_hanging_redis_delays_one_request_by_half_a_second(cache, running_redis):
    cache.set("a", 1, 60)
    running_redis.running.send_signal(signal.SIGSTOP)

    assert 0.3 < seconds_of(lambda: cache.get("a")) < 1.5
    assert seconds_of(lambda: [cache.get("a") for _ in range(100)]) < 0.2


@pytest.mark.django_db
def test_requests_are_answered_and_throttled_while_redis_is_unreachable(cache, running_redis, api, settings, artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "everything": (4, 24 * 3600)}
    running_redis.kill()

    paths = ["/api/songs", "/api/songs/random", "/api/songs/trending", "/api/songs/recommendations", "/api/songs"]

    assert [api.get(path).status_code for path in paths] == [200, 200, 200, 200, 429]


def ask(web, path="/api"):
    """Return status and duration of a request on a connection of its own, which any process may answer."""
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=10)
    began = time.monotonic()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, time.monotonic() - began


def test_two_processes_count_together_and_outlive_redis(cache, running_redis, tmp_path):
    environment = {"CACHE_URL": running_redis.url, "THROTTLE_EVERYTHING": "50/day"}
    web = server({**environment, "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3"}, workers=2)
    web.is_ready = lambda: answers(urlsplit(web.url).port, "/")  # not throttled, and needs no database
    with web:
        statuses = [ask(web)[0] for _ in range(80)]
        assert statuses == [200] * 50 + [429] * 30

        running_redis.kill()
        with ThreadPoolExecutor(8) as clients:  # one request at a time might always reach the same process
            answered = list(clients.map(lambda _: ask(web), range(150)))

        assert {status for status, _ in answered} == {200, 429}  # each process counts for itself, and goes on answering
        assert max(seconds for _, seconds in answered) < 1.5
        assert web.log.read_text().count("Redis is unreachable") == 2
