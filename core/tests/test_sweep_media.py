"""`manage.py sweep_media`: files without a row, and rows whose file is missing."""

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.jobs.leases import WorkerLease
from core.storage.sweep import Names
from music.catalogue.models import Album, Song
from music.streaming.models import AudioAnalysis, Rendition
from music.streaming.renditions import rendition_key
from payments.models import StudentApplication
from users.models import AudioQuality, UserProfile


@pytest.fixture
def stored(settings):
    """`stored("audio/….mp3", hours=2)`: store a file of that age, by default under a new name."""

    def store(name: str | None = None, *, hours: float = 2) -> str:
        name = default_storage.save(name or f"audio/{uuid4()}.mp3", ContentFile(b"0123456789"))
        if (path := Path(settings.MEDIA_ROOT) / name).exists():
            moment = time.time() - hours * 3600
            os.utime(path, (moment, moment))
        return name

    return store


@pytest.fixture
def song(artist, stored):
    return Song.objects.create(title="Kept", artist=artist, audio_file=stored(f"audio/{uuid4()}.mp3"))


@pytest.fixture
def sweep(capsys):
    """Run the command. Return the lines that it prints and its exit code."""

    def run(**options) -> tuple[list[str], int]:
        try:
            call_command("sweep_media", **options)
            code = 0
        except SystemExit as error:
            code = error.code
        return capsys.readouterr().out.splitlines(), code

    return run


def test_files_without_a_row_are_deleted(sweep, song, stored):
    orphan = stored()
    lines, code = sweep()
    assert (code, default_storage.exists(orphan), default_storage.exists(song.audio_file.name)) == (0, False, True)
    assert lines[0].startswith(f"{orphan} (10 bytes, ")
    assert lines[0].endswith("removed")
    assert lines[1:] == ["1 files were named by no row: 10 bytes"]
    assert sweep() == (["nothing to sweep"], 0)


def test_a_check_deletes_nothing_and_exits_with_1(sweep, song, stored):
    orphan = stored()
    lines, code = sweep(check=True)
    assert (code, len(lines), default_storage.exists(orphan)) == (1, 2, True)
    assert lines[0].endswith("no row names it")


def test_young_files_are_left_alone(sweep, song, stored):
    orphan = stored(hours=0.9)
    assert sweep(check=True) == (["nothing to sweep"], 0)
    assert sweep(older_than=0)[1] == 0
    assert not default_storage.exists(orphan)


def test_files_of_every_kind_of_row_stay(sweep, song, stored, artist):
    keys = {folder: f"{folder}/{uuid4()}.jpg" for folder in ("covers", "pictures", "student-documents")}
    for name in [*keys.values(), rendition := rendition_key(song.audio_file.name, AudioQuality.LOW)]:
        stored(name)
    Album.objects.create(title="Album", artist=artist, cover_image=keys["covers"])
    UserProfile.objects.filter(user=artist).update(profile_picture=keys["pictures"])
    StudentApplication.objects.create(user=artist, document=keys["student-documents"])
    Rendition.objects.create(song=song, quality="low", file=rendition, format="mp3", bitrate=96, bytes=10)
    AudioAnalysis.objects.create(song=song, source=song.audio_file.name, status="ready")
    assert sweep(check=True) == (["nothing to sweep"], 0)


def test_renditions_stay_until_the_song_is_ready(sweep, song, stored):
    left = stored(rendition_key(song.audio_file.name, AudioQuality.HIGH))
    assert sweep(check=True) == (["nothing to sweep"], 0)
    AudioAnalysis.objects.create(song=song, source=song.audio_file.name, status="ready")
    assert sweep()[1] == 0
    assert not default_storage.exists(left)


def test_a_row_without_its_file_is_reported(sweep, song):
    default_storage.delete(song.audio_file.name)
    assert sweep() == ([f"song {song.pk}: its audio file {song.audio_file.name} is missing"], 1)


def test_files_with_other_names_are_left_alone(sweep, song, stored):
    foreign = [stored("notes.txt"), stored("audio/readme.mp3"), stored("lost/and/found.mp3")]
    assert sweep() == (["nothing to sweep"], 0)
    assert all(map(default_storage.exists, foreign))


def test_an_empty_database_stops_the_sweep(db, stored):
    orphan = stored()
    with pytest.raises(CommandError, match="the right database"):
        call_command("sweep_media")
    assert default_storage.exists(orphan)


def test_a_running_backup_stops_the_sweep(song, stored):
    orphan = stored()
    WorkerLease.objects.create(worker="backup 1", ends_at=timezone.now() + timedelta(seconds=30))
    with pytest.raises(CommandError, match="backup"):
        call_command("sweep_media")
    assert default_storage.exists(orphan)


def test_a_bucket_is_swept_too(sweep, song, stored, s3_server, use_store):
    use_store(s3_server)
    default_storage.bucket.objects.delete()
    song.audio_file = stored(song.audio_file.name)
    orphans = [stored() for _ in range(3)]
    assert sweep(check=True) == (["nothing to sweep"], 0)
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        lines, code = sweep()
    assert (code, lines[-1]) == (0, "3 files were named by no row: 30 bytes")
    assert [default_storage.exists(name) for name in (*orphans, song.audio_file.name)] == [False] * 3 + [True]
    default_storage.delete(song.audio_file.name)
    assert sweep(check=True)[1] == 1


def test_names_returns_those_that_it_lacks():
    names = Names()
    assert names.lacking(["a", "b"]) == ["a", "b"]
    names.add(["a", "c"])
    names.add(["a", "d"])
    assert names.lacking(["a", "b", "c", "d", "e"]) == ["b", "e"]
