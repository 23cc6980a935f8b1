"""The background worker: no task is lost when a process is killed, and failed tasks are retried."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Lock

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from core.jobs import worker as worker_module
from core.jobs.leases import WorkerLease
from core.jobs.retries import retried_task, retry_delay
from core.jobs.worker import MAX_ATTEMPTS_LOST, LeasedWorker, leased, renew_lease, requeue_lost_tasks
from core.storage.stored_files import remove_stored_file
from music.models import AudioAnalysis, Rendition, Song
from music.tests.samples import audio_sample
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401
from music.tests.uploads import stored_files, upload

pytestmark = pytest.mark.django_db(transaction=True)

done: Counter = Counter()
counting = Lock()


@task()
def note(what: str) -> None:
    with counting:
        done[what] += 1


@task()
def raise_error() -> None:
    note.func("broken")
    raise ValueError("no")


@retried_task(attempts=3)
def fail_twice() -> None:
    note.func("tried")
    if done["tried"] < 3:
        raise OSError("not yet")


@retried_task(attempts=2)
def fail_always() -> None:
    raise OSError("never")


@task(queue_name="rendering")
def wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.02)


@task()
def touch(path: str) -> None:
    Path(path).touch()


@task()
def exit_once() -> None:
    note.func("exited")
    if done["exited"] == 1:
        sys.exit(1)


@pytest.fixture(autouse=True)
def queue(settings):
    """Queue tasks in the database, as production does."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    done.clear()


def worker(name: str = "first") -> LeasedWorker:
    """Return a worker that ends when the queue is empty."""
    return LeasedWorker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=name,
    )


def status_of_only_task() -> str:
    return DBTaskResult.objects.get().status


def begun_by(name: str, *, ago: timedelta = timedelta(hours=1), lives: int = 1) -> DBTaskResult:
    note.enqueue("left")
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now() - ago, worker_ids=[name] * lives)
    return DBTaskResult.objects.get()


def test_a_worker_runs_the_queue_and_deletes_its_lease():
    note.enqueue("something")
    worker().run()
    assert (done["something"], status_of_only_task()) == (1, "SUCCESSFUL")
    assert not WorkerLease.objects.exists()


def test_a_finished_task_keeps_no_arguments():
    note.enqueue(what="somebody@example.com")
    worker().run()
    assert done["somebody@example.com"] == 1
    assert DBTaskResult.objects.get().args_kwargs == {"args": [], "kwargs": {}}


def test_a_task_without_retries_fails_at_its_first_error():
    raise_error.enqueue()
    note.enqueue("next")
    worker().run()
    assert (done["broken"], done["next"]) == (1, 1)
    assert "ValueError" in DBTaskResult.objects.get(status="FAILED").traceback


def test_a_retried_task_runs_again_after_growing_pauses():
    fail_twice.enqueue()
    for attempt, pause in ((1, 30), (2, 60)):
        worker().run()
        row = DBTaskResult.objects.get()
        assert (done["tried"], row.status) == (attempt, "READY")
        assert (row.run_after - timezone.now()).total_seconds() == pytest.approx(pause, abs=5)
        DBTaskResult.objects.update(run_after=timezone.now())
    worker().run()
    assert (done["tried"], status_of_only_task()) == (3, "SUCCESSFUL")


def test_pauses_between_attempts_double_up_to_an_hour():
    pauses = [retry_delay(attempt).total_seconds() for attempt in (1, 2, 3, 7, 8, 1000)]
    assert pauses == [30, 60, 120, 1920, 3600, 3600]


def test_a_task_fails_after_its_last_attempt():
    fail_always.enqueue()
    worker().run()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        worker().run()
    assert (status_of_only_task(), len(DBTaskResult.objects.get().worker_ids)) == ("FAILED", 2)


def test_a_task_whose_code_is_gone_fails_and_the_next_one_runs():
    note.enqueue("next")
    gone = DBTaskResult.objects.get()
    gone.pk, gone.task_path = None, "core.tests.test_worker.gone"
    gone.pk = DBTaskResult._meta.pk.get_default()
    gone.save(force_insert=True)
    worker().run()
    assert set(DBTaskResult.objects.values_list("task_path", "status")) == {
        ("core.tests.test_worker.gone", "FAILED"),
        ("core.tests.test_worker.note", "SUCCESSFUL"),
    }


def test_a_worker_that_exits_during_a_task_requeues_it():
    exit_once.enqueue()
    with pytest.raises(SystemExit):
        worker().run()
    assert status_of_only_task() == "READY"
    worker("second").run()
    assert (done["exited"], status_of_only_task()) == (2, "SUCCESSFUL")


def test_a_task_of_a_lost_worker_is_run_by_the_next_worker():
    begun_by("lost")
    WorkerLease.objects.create(worker="lost", ends_at=timezone.now() - timedelta(seconds=1))
    worker("second").run()
    row = DBTaskResult.objects.get()
    assert (done["left"], row.status, row.worker_ids) == (1, "SUCCESSFUL", ["lost", "second"])


def test_a_long_task_of_a_worker_with_a_lease_is_left_alone():
    begun_by("busy")
    renew_lease("busy")
    worker("second").run()
    assert (done["left"], status_of_only_task()) == (0, "RUNNING")


def test_a_task_that_began_a_moment_ago_is_left_alone():
    begun_by("unknown", ago=timedelta(seconds=1))
    requeue_lost_tasks()
    assert status_of_only_task() == "RUNNING"


def test_a_task_that_kills_every_worker_fails():
    begun_by("lost", lives=MAX_ATTEMPTS_LOST)
    requeue_lost_tasks()
    assert status_of_only_task() == "FAILED"


def test_a_worker_survives_a_database_outage(monkeypatch):
    broken_off = DatabaseError("server closed the connection unexpectedly")
    broken_off.__cause__ = Exception("as psycopg2 says it")
    troubles = iter([OperationalError("the database system is starting up"), broken_off])

    def renew_at_last(name):
        if trouble := next(troubles, None):
            raise trouble
        renew_lease(name)

    monkeypatch.setattr(worker_module, "renew_lease", renew_at_last)
    monkeypatch.setattr(worker_module, "SECONDS_WITHOUT_DATABASE", 0)
    note.enqueue("after")
    worker().run()
    assert (done["after"], status_of_only_task()) == (1, "SUCCESSFUL")
    assert not WorkerLease.objects.exists()


def test_a_lease_is_renewed_while_a_task_runs(settings):
    settings.WORKER_LEASE = timedelta(seconds=0.8)
    with leased("busy"):
        first = WorkerLease.objects.get().ends_at
        deadline = time.monotonic() + 10
        while WorkerLease.objects.get().ends_at == first and time.monotonic() < deadline:
            time.sleep(0.1)
        assert WorkerLease.objects.get().ends_at > first
    assert not WorkerLease.objects.exists()


def test_several_workers_run_each_task_once():
    for number in range(40):
        note.enqueue(str(number))
    at_once(worker(f"worker {number}").run for number in range(4))
    assert done == Counter({str(number): 1 for number in range(40)})
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}


def test_the_command_runs_one_queue_or_all():
    note.enqueue("mail")
    note.using(queue_name="rendering").enqueue("sound")
    call_command("work", once=True, queue="rendering")
    assert done == Counter(sound=1)
    call_command("work", once=True)
    assert done == Counter(sound=1, mail=1)


def start_worker() -> subprocess.Popen:
    """Start a worker process on the database and the files of this test."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"].replace("/", "%2F")
    url = f"sqlite:///{name}" if connection.vendor == "sqlite" else f"postgres://postgres@{host}/{name}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "SECRET_KEY": settings.SECRET_KEY,
        "WORKER_LEASE_SECONDS": "2",
    }
    return subprocess.Popen([sys.executable, "manage.py", "work", "--interval", "0.1"], env=environment)


def wait_until(happens, seconds: int = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, list(DBTaskResult.objects.values())
        time.sleep(0.02)


@pytest.fixture
def one_worker(tmp_path):
    """A worker process that is busy with a long task: `(process, path whose creation ends the task)`."""
    go = tmp_path / "go"
    wait_for.enqueue(str(go))
    process = start_worker()
    wait_until(lambda: DBTaskResult.objects.running().exclude(worker_ids=[]).exists())
    yield process, go
    go.touch()
    process.kill()
    process.wait()


def test_one_worker_sends_mails_while_it_renders(one_worker, tmp_path):
    process, go = one_worker
    mail = tmp_path / "mail"
    touch.enqueue(str(mail))
    wait_until(mail.exists)
    assert DBTaskResult.objects.running().filter(queue_name="rendering").exists()

    process.terminate()
    go.touch()

    assert process.wait(30) == 0
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}
    assert not WorkerLease.objects.exists()


def test_a_second_signal_requeues_the_long_task_and_exits(one_worker):
    process, _ = one_worker
    process.terminate()
    time.sleep(0.2)
    process.terminate()

    assert process.wait(30) == 1
    assert status_of_only_task() == "READY"


def test_removing_files_waits_behind_mails():
    for number in range(3):
        remove_stored_file.enqueue(f"audio/{number}.mp3")
    note.enqueue("mail")
    worker().run()
    finished = DBTaskResult.objects.order_by("finished_at").values_list("task_path", flat=True)
    assert finished[0] == "core.tests.test_worker.note"


def test_renditions_alternate_between_artists(api_as, artist, other_artist):
    for number in range(3):
        upload(api_as(artist), audio_sample("wav"), title=f"First artist {number}")
    upload(api_as(other_artist), audio_sample("wav"), title="Second artist")

    call_command("work", once=True, queue="rendering")

    assert list(AudioAnalysis.objects.order_by("pk").values_list("status", flat=True)) == ["ready"] * 4
    rendered = Rendition.objects.filter(quality="low").order_by("created_at").values_list("song__title", flat=True)
    assert list(rendered) == ["First artist 0", "Second artist", "First artist 1", "First artist 2"]


def test_killed_workers_leave_no_file_and_no_rendition_undone(api_as, artist):
    for number in range(3):
        upload(api_as(artist), audio_sample("wav", 20), title=f"Song {number}")
    for _ in range(2):
        killed = start_worker()
        wait_until(lambda: DBTaskResult.objects.running().exclude(worker_ids=[]).exists())
        time.sleep(0.2)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    surviving = start_worker()
    try:
        wait_until(lambda: AudioAnalysis.objects.filter(status="ready").count() == 3)
    finally:
        surviving.terminate()
        surviving.wait()

    expected = {song.audio_file.name for song in Song.objects.all()}
    expected |= {rendition.file.name for song in Song.objects.all() for rendition in song.renditions.all()}
    assert stored_files() == expected
    assert len(expected) == 12
