"""Concurrent uploads, changes and deletions create no duplicates and leave no orphaned files."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from music.models import Album, Genre, Song
from music.tests.samples import tone
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401
from music.tests.uploads import give_audio, stored_files, upload
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connect(api_as, artist):
    return lambda: api_as(artist)


def new_audio(client, song, format: str):
    file = SimpleUploadedFile("song", tone(format))
    return lambda: client.patch(f"/api/songs/{song.pk}", {"audio_file": file}, format="multipart").status_code


def test_concurrent_uploads_create_a_new_album_and_genre_once(connect):
    spellings = ["Brand New", "BRAND new", " brand  new "]
    clients = [(connect(), title) for title in spellings]
    answers = at_once(
        lambda client=client, title=title: upload(client, tone("mp3"), album_title=title, genre=title).status_code
        for client, title in clients
    )
    assert answers == [201] * 3
    assert Album.objects.get().songs.count() == Genre.objects.get().songs.count() == 3


def test_of_concurrent_requests_for_a_new_genre_one_succeeds(connect):
    clients = [connect() for _ in range(5)]
    answers = at_once(
        lambda client=client: client.post("/api/genres", {"title": "New"}).status_code for client in clients
    )
    assert sorted(answers) == [201, 400, 400, 400, 400]
    assert Genre.objects.count() == 1


def test_concurrent_new_recordings_leave_one_file(connect, song):
    give_audio(song)
    answers = at_once([new_audio(connect(), song, "mp3"), new_audio(connect(), song, "wav")])
    assert answers == [200, 200]
    song = Song.objects.get()
    assert stored_files() == {song.audio_file.name}
    assert song.audio_file.name.endswith(song.audio_format)


def test_a_new_recording_of_a_song_deleted_meanwhile_leaves_no_file(connect, song):
    give_audio(song)
    deleting = connect()
    answers = at_once([new_audio(connect(), song, "mp3"), lambda: deleting.delete(f"/api/songs/{song.pk}").status_code])
    assert answers[0] in (200, 404)
    assert answers[1] == 204
    assert not Song.objects.exists()
    assert stored_files() == set()


def test_an_upload_to_an_account_deleted_meanwhile_leaves_no_song(connect, artist):
    uploading = connect()
    answers = at_once([lambda: upload(uploading, tone("mp3")).status_code, lambda: User.objects.get().delete_account()])
    assert answers[0] in (201, 401)
    assert not Song.objects.exists()
    assert stored_files() == set()
