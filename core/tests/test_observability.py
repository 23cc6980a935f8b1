"""Log lines, health checks and metrics, and that none of them has personal data."""

import logging
import os
import subprocess
import threading
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from time import monotonic

import orjson
import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from django_tasks import task
from prometheus_client import REGISTRY

from core.jobs.leases import WorkerLease
from core.jobs.retries import retried_task
from core.observability import health
from core.observability.logs import JSONLines, WithoutPaths
from core.observability.metrics import remove_dead_processes
from core.observability.routes import template_of
from core.server.serve import prepare_metrics_folder
from music.models import Song, SongCounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines():
    """Collect each log record as production writes it."""
    written = []

    class Handler(logging.Handler):
        def emit(self, record):
            written.append(orjson.loads(self.format(record)))

    handler = Handler()
    handler.setFormatter(JSONLines())
    handler.addFilter(WithoutPaths())
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture(autouse=True)
def unchecked():
    health.runs.clear()
    yield
    health.runs.clear()


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="A song", artist=artist, visibility="public")
    SongCounts.objects.create(song=song)
    return song


def test_a_request_is_one_log_line(api_as, listener, song, lines):
    answer = api_as(listener).get(f"/api/songs/{song.pk}?search=secret", headers={"user-agent": "Spy/1"})

    [line] = lines
    assert line.pop("time").endswith("+00:00")
    assert line.pop("ms") > 0
    assert line.pop("sql") > 0
    assert line == {
        "level": "INFO",
        "logger": "core.observability.requests",
        "message": "request",
        "request_id": answer["X-Request-ID"],
        "user": str(listener.pk),
        "method": "GET",
        "route": "/api/songs/{id}",
        "status": 200,
    }


def test_an_anonymous_caller_is_logged_as_null(api, lines):
    api.get("/api/songs")

    assert lines[0]["user"] is None


def test_the_clients_request_id_is_returned(api, lines):
    assert api.get("/api/songs", headers={"X-Request-ID": "from-the-client.1"})["X-Request-ID"] == "from-the-client.1"
    assert lines[0]["request_id"] == "from-the-client.1"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "a b c d e f g", 'quote"quote"', "nina@example.com", "ümläut-id"]
)
def test_an_unsafe_request_id_is_replaced(api, given):
    assert len(api.get("/api/songs", HTTP_X_REQUEST_ID=given)["X-Request-ID"]) == 32


def test_a_browser_may_read_the_request_id(api, settings):
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:3000"]

    answer = api.get("/api/songs", HTTP_ORIGIN="http://localhost:3000")

    assert "X-Request-ID" in answer["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", ["/api/nina@example.com", "/nina@example.com/secret", "/api/songs/secret"])
def test_user_input_is_not_logged(api, lines, path):
    assert api.get(f"{path}?token=secret").status_code == 404

    assert "secret" not in str(lines)
    assert "nina" not in str(lines)
    assert len(lines) == 1


def test_an_exception_is_logged_once_with_its_stack_and_without_addresses(api, lines, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("nobody expects nina@example.com")

    monkeypatch.setattr("music.api.songs.SongViewSet.list", fail)
    api.raise_request_exception = False

    answer = api.get("/api/songs?token=secret")

    assert answer.status_code == 500
    assert {line["request_id"] for line in lines} == {answer["X-Request-ID"]}
    [failure] = [line for line in lines if "exception" in line]
    assert "RuntimeError: nobody expects [e-mail]" in failure["exception"]
    assert failure["message"].endswith(": /api/songs")
    assert "nina" not in str(lines)
    assert "secret" not in str(lines)


def test_slow_queries_are_logged_without_their_values(api, song, lines, settings, monkeypatch):
    settings.SLOW_QUERY_MS = 1
    ticks = iter(range(10**6))
    monkeypatch.setattr("core.observability.requests.perf_counter", lambda: next(ticks))

    answer = api.get("/api/songs?title=findme")

    slow = [line for line in lines if line["message"] == "slow query"]
    assert slow[0]["level"] == "WARNING"
    assert slow[0]["request_id"] == answer["X-Request-ID"]
    assert slow[0]["route"] == "/api/songs"
    assert "SELECT" in slow[0]["query"]
    assert "findme" not in str(slow)


def test_slow_queries_are_not_logged_at_zero_milliseconds(api, lines, settings):
    settings.SLOW_QUERY_MS = 0

    api.get("/api/songs")

    assert [line["message"] for line in lines] == ["request"]


@pytest.mark.parametrize(
    ("route", "template"),
    [
        ("api/^songs/?$", "/api/songs"),
        ("api/^songs/(?P<pk>[0-9a-f-]{36})/stream/?$", "/api/songs/{id}/stream"),
        ("admin/music/song/<path:object_id>/change/", "/admin/music/song/{object_id}/change"),
        ("", "/"),
    ],
)
def test_routes_are_templates(route, template):
    assert template_of(route) == template


@pytest.mark.parametrize("path", ["/health/live", "/health/live/", "/health/ready", "/health/ready/"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_health_is_public(api, settings, method, path):
    settings.ALLOWED_HOSTS = ["music.example"]
    settings.SECURE_SSL_REDIRECT = True

    answer = getattr(api, method)(path, HTTP_HOST="10.1.2.3")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_can_only_be_read(api, path):
    answer = api.post(path)

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_liveness_needs_no_database(api, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert api.get("/health/live").json() == {"status": "live"}


def test_without_the_database_readiness_is_503_without_details(api, monkeypatch):
    def away():
        raise OperationalError("password=secret")

    monkeypatch.setitem(health.CHECKS, "database", away)

    answer = api.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["checks"]["database"] == "down"
    assert "secret" not in answer.content.decode()


def test_callers_outside_metrics_allowed_get_no_checks(api, settings, monkeypatch):
    settings.METRICS_ALLOWED = [ip_network("10.0.0.0/8")]

    assert api.get("/health/ready").json() == {"status": "ready"}
    assert api.get("/health/ready", REMOTE_ADDR="10.1.2.3").json()["checks"]["database"] == "up"

    monkeypatch.setitem(health.CHECKS, "database", lambda: 1 / 0)
    health.runs.clear()
    answer = api.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


def test_a_hanging_cache_delays_readiness_by_a_second_and_does_not_change_it(api, monkeypatch):
    released = threading.Event()
    monkeypatch.setitem(health.CHECKS, "cache", lambda: released.wait(20))
    began = monotonic()

    answers = [api.get("/health/ready") for _ in range(3)]

    released.set()
    assert monotonic() - began < 2.5
    assert {(answer.status_code, answer.json()["checks"]["cache"]) for answer in answers} == {(200, "down")}


def test_a_read_only_disk_is_down(api, settings, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)

    assert api.get("/health/ready").json()["checks"]["storage"] == "down"


def test_readiness_shows_the_queue_and_its_workers(listener, monkeypatch):
    WorkerLease.objects.create(worker="alive", ends_at=timezone.now() + timedelta(seconds=30))
    WorkerLease.objects.create(worker="lost", ends_at=timezone.now() - timedelta(seconds=30))

    assert health.check_queue() == {"oldest_waiting_seconds": 0.0, "workers": 1}


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


def test_metrics_count_by_route(api, song):
    labels = {"route": "/api/songs/{id}", "method": "GET", "status": "2xx"}
    before = sample("music_requests_total", **labels)

    api.get(f"/api/songs/{song.pk}")

    assert sample("music_requests_total", **labels) == before + 1
    text = api.get("/metrics").content.decode()
    assert 'music_request_seconds_bucket{le="0.005",route="/api/songs/{id}"}' in text
    assert "music_tasks_waiting 0.0" in text


def test_unknown_paths_and_methods_add_no_series(api):
    for number in range(3):
        api.generic(f"METHOD{number}", f"/api/nowhere/{number}")
        api.get(f"/somewhere/{number}")

    text = api.get("/metrics").content.decode()
    assert 'music_requests_total{method="OTHER",route="unrouted",status="4xx"}' in text
    assert "METHOD1" not in text
    assert "where/" not in text


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::1", "unknown", ""])
def test_metrics_are_404_outside_metrics_allowed(api, address):
    answer, nowhere = (api.get(path, REMOTE_ADDR=address) for path in ("/metrics", "/nowhere"))

    assert answer.status_code == nowhere.status_code == 404
    assert b"music_" not in answer.content


def test_metrics_are_404_behind_an_untrusted_proxy(api):
    assert api.get("/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 404


def test_metrics_take_the_address_from_trusted_proxies(api, settings):
    settings.TRUSTED_PROXIES = 1

    assert api.get("/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1, 203.0.113.9").status_code == 404
    assert api.get("/metrics", HTTP_X_FORWARDED_FOR="203.0.113.9, 127.0.0.1").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_counted_plays_are_in_the_metrics(api_as, listener, song):
    before = sample("music_plays_total")
    player = api_as(listener)

    player.post(f"/api/songs/{song.pk}/play")
    player.post(f"/api/songs/{song.pk}/play")

    assert sample("music_plays_total") == before + 1


@pytest.fixture
def worker(settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "rendering"]}}
    return lambda: call_command("work", "--once")


@task()
def sing() -> None:
    logging.getLogger(__name__).warning("la")


@task()
def break_down() -> None:
    raise ValueError("no")


@retried_task(attempts=2)
def try_again() -> None:
    raise OSError("not yet")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("job", "status"), [(sing, "SUCCESSFUL"), (break_down, "FAILED"), (try_again, "RETRIED")], ids=lambda x: str(x)[:9]
)
def test_a_task_is_one_log_line_and_its_id_is_on_all_others(worker, lines, job, status):
    result = job.enqueue()

    worker()

    [line] = [line for line in lines if line["message"] == "task"]
    assert (line["task_id"], line["status"]) == (str(result.id), status)
    assert line["task"].endswith(job.func.__name__)
    assert line["ms"] >= 0
    others = [line for line in lines if line["logger"] in (__name__, "core.jobs.worker")]
    assert {line["request_id"] for line in others} == {str(result.id)}


@pytest.mark.django_db(transaction=True)
def test_metrics_show_waiting_tasks_and_their_age(api, worker, settings):
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        sing.enqueue()

    assert 300 <= health.check_queue()["oldest_waiting_seconds"] < 400
    text = api.get("/metrics").content.decode()
    assert "music_tasks_waiting 1.0" in text
    assert "music_tasks_oldest_seconds 30" in text


@pytest.mark.parametrize("named", [True, False])
def test_the_metrics_folder_is_emptied_and_private(tmp_path, monkeypatch, named):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "given" / "one") if named else "")

    folder = Path(prepare_metrics_folder(8000))
    (folder / "counter_1.db").touch()

    assert Path(prepare_metrics_folder(8000)) == folder
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_metrics_folder_that_is_a_link_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    (tmp_path / f"music-metrics-{os.getuid()}-8000").symlink_to(tmp_path)

    with pytest.raises(SystemExit, match="Set PROMETHEUS_MULTIPROC_DIR"):
        prepare_metrics_folder(8000)


def test_ended_processes_have_no_requests_in_progress(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid in (os.getpid(), ended.pid):
        (tmp_path / f"gauge_livesum_{pid}.db").touch()

    remove_dead_processes(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [f"gauge_livesum_{os.getpid()}.db"]
