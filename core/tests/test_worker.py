"""The background worker: nothing is lost, whatever is killed, and what fails is tried again."""

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

from core.jobs import worker as working
from core.jobs.leases import WorkerLease
from core.jobs.retries import retried_task, retry_delay
from core.jobs.worker import MAX_ATTEMPTS_LOST, LeasedWorker, leased, renew, take_over_lost_tasks
from core.storage.stored_files import remove_stored_file
from music.models import AudioAnalysis, Rendition, Song
from music.tests.samples import audio_sample
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401
from music.tests.uploading import stored_files, upload

pytestmark = pytest.mark.django_db(transaction=True)

done: Counter = Counter()
counting = Lock()


@task()
def note(what: str) -> None:
    with counting:
        done[what] += 1


@task()
def break_down() -> None:
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
def be_told_to_end() -> None:
    note.func("told")
    if done["told"] == 1:
        sys.exit(1)


@pytest.fixture(autouse=True)
def queue(settings):
    """Tasks wait in the database, as in production."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    done.clear()


def worker(name: str = "first") -> LeasedWorker:
    """One that ends when nothing is left to do."""
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


def test_a_worker_does_what_is_there_and_gives_its_lease_back():
    note.enqueue("something")
    worker().run()
    assert (done["something"], status_of_only_task()) == (1, "SUCCESSFUL")
    assert not WorkerLease.objects.exists()


def test_a_done_task_forgets_what_it_was_about():
    note.enqueue(what="somebody@example.com")
    worker().run()
    assert done["somebody@example.com"] == 1
    assert DBTaskResult.objects.get().args_kwargs == {"args": [], "kwargs": {}}


def test_what_fails_has_failed_unless_it_asks_for_another_try():
    break_down.enqueue()
    note.enqueue("next")
    worker().run()
    assert (done["broken"], done["next"]) == (1, 1)
    assert "ValueError" in DBTaskResult.objects.get(status="FAILED").traceback


def test_what_asks_for_it_is_tried_again_later_and_later():
    fail_twice.enqueue()
    for attempt, pause in ((1, 30), (2, 60)):
        worker().run()
        row = DBTaskResult.objects.get()
        assert (done["tried"], row.status) == (attempt, "READY")
        assert (row.run_after - timezone.now()).total_seconds() == pytest.approx(pause, abs=5)
        DBTaskResult.objects.update(run_after=timezone.now())
    worker().run()
    assert (done["tried"], status_of_only_task()) == (3, "SUCCESSFUL")


def test_pauses_grow_to_an_hour():
    pauses = [retry_delay(attempt).total_seconds() for attempt in (1, 2, 3, 7, 8, 1000)]
    assert pauses == [30, 60, 120, 1920, 3600, 3600]


def test_the_last_of_its_attempts_is_the_last():
    fail_always.enqueue()
    worker().run()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        worker().run()
    assert (status_of_only_task(), len(DBTaskResult.objects.get().worker_ids)) == ("FAILED", 2)


def test_a_task_whose_code_is_gone_fails_and_the_next_goes_on():
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


def test_a_worker_that_is_told_to_end_at_once_puts_its_task_back():
    be_told_to_end.enqueue()
    with pytest.raises(SystemExit):
        worker().run()
    assert status_of_only_task() == "READY"
    worker("second").run()
    assert (done["told"], status_of_only_task()) == (2, "SUCCESSFUL")


def test_what_a_lost_worker_had_begun_is_done_by_the_next():
    begun_by("lost")
    WorkerLease.objects.create(worker="lost", ends_at=timezone.now() - timedelta(seconds=1))
    worker("second").run()
    row = DBTaskResult.objects.get()
    assert (done["left"], row.status, row.worker_ids) == (1, "SUCCESSFUL", ["lost", "second"])


def test_what_a_living_worker_has_begun_stays_with_it_however_long_it_takes():
    begun_by("busy")
    renew("busy")
    worker("second").run()
    assert (done["left"], status_of_only_task()) == (0, "RUNNING")


def test_what_was_begun_a_moment_ago_is_left_alone():
    begun_by("unknown", ago=timedelta(seconds=1))
    take_over_lost_tasks()
    assert status_of_only_task() == "RUNNING"


def test_what_kills_every_worker_is_given_up():
    begun_by("lost", lives=MAX_ATTEMPTS_LOST)
    take_over_lost_tasks()
    assert status_of_only_task() == "FAILED"


def test_a_worker_outlives_an_outage_of_its_database(monkeypatch):
    broken_off = DatabaseError("server closed the connection unexpectedly")
    broken_off.__cause__ = Exception("as psycopg2 says it")
    troubles = iter([OperationalError("the database system is starting up"), broken_off])

    def renew_at_last(name):
        if trouble := next(troubles, None):
            raise trouble
        renew(name)

    monkeypatch.setattr(working, "renew", renew_at_last)
    monkeypatch.setattr(working, "SECONDS_WITHOUT_DATABASE", 0)
    note.enqueue("after")
    worker().run()
    assert (done["after"], status_of_only_task()) == (1, "SUCCESSFUL")
    assert not WorkerLease.objects.exists()


def test_a_lease_is_renewed_beside_the_work(settings):
    settings.WORKER_LEASE = timedelta(seconds=0.8)
    with leased("busy"):
        first = WorkerLease.objects.get().ends_at
        deadline = time.monotonic() + 10
        while WorkerLease.objects.get().ends_at == first and time.monotonic() < deadline:
            time.sleep(0.1)
        assert WorkerLease.objects.get().ends_at > first
    assert not WorkerLease.objects.exists()


def test_several_workers_do_each_task_once():
    for number in range(40):
        note.enqueue(str(number))
    at_once(worker(f"worker {number}").run for number in range(4))
    assert done == Counter({str(number): 1 for number in range(40)})
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}


def test_the_command_works_off_one_queue_or_all():
    note.enqueue("mail")
    note.using(queue_name="rendering").enqueue("sound")
    call_command("work", once=True, queue="rendering")
    assert done == Counter(sound=1)
    call_command("work", once=True)
    assert done == Counter(sound=1, mail=1)


def start_worker() -> subprocess.Popen:
    """A process of its own, on the database and the files of this test."""
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
    """A single process that is busy with something long: `(process, path that ends it)`."""
    go = tmp_path / "go"
    wait_for.enqueue(str(go))
    process = start_worker()
    wait_until(lambda: DBTaskResult.objects.running().exclude(worker_ids=[]).exists())
    yield process, go
    go.touch()
    process.kill()
    process.wait()


def test_a_mail_does_not_wait_behind_a_rendition_though_there_is_one_worker(one_worker, tmp_path):
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


def test_a_worker_that_is_told_twice_puts_its_long_work_back_at_once(one_worker):
    process, _ = one_worker
    process.terminate()
    time.sleep(0.2)
    process.terminate()

    assert process.wait(30) == 1
    assert status_of_only_task() == "READY"


def test_files_are_removed_after_what_people_wait_for():
    for number in range(3):
        remove_stored_file.enqueue(f"audio/{number}.mp3")
    note.enqueue("mail")
    worker().run()
    finished = DBTaskResult.objects.order_by("finished_at").values_list("task_path", flat=True)
    assert finished[0] == "core.tests.test_worker.note"


def test_artists_take_turns_with_their_renditions(api_as, artist, other_artist):
    for number in range(3):
        upload(api_as(artist), audio_sample("wav"), title=f"First artist {number}")
    upload(api_as(other_artist), audio_sample("wav"), title="Second artist")

    call_command("work", once=True, queue="rendering")

    assert list(AudioAnalysis.objects.order_by("pk").values_list("status", flat=True)) == ["ready"] * 4
    rendered = Rendition.objects.filter(quality="low").order_by("created_at").values_list("song__title", flat=True)
    assert list(rendered) == ["First artist 0", "Second artist", "First artist 1", "First artist 2"]


def test_killing_workers_in_the_middle_loses_nothing(api_as, artist):
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
