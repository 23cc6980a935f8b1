"""Songs stored in an S3 bucket, and storage that is unavailable or full."""

import errno
import io
import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from core.jobs.worker import LeasedWorker
from core.storage.stored_files import discard
from music.models import Album, Genre, Song
from music.tests.samples import audio_sample, image_sample
from music.tests.uploads import code_of, give_audio, send_image, stored_files, upload
from tests.s3 import Store


class FullDisk(FileSystemStorage):
    """A disk with room for only the first part of a file."""

    def _save(self, name, content):
        super()._save(name, ContentFile(content.read(1000)))
        raise OSError(errno.ENOSPC, "No space left on device")


REFUSED = (400, 403)
AWAY = Store("http://127.0.0.1:9")


@pytest.fixture
def api(api):
    api.raise_request_exception = False
    return api


@pytest.fixture
def artist_api(api_as, artist):
    client = api_as(artist)
    client.raise_request_exception = False
    return client


@pytest.fixture
def later_tasks(settings):
    """Queue tasks in the database for the worker, as in production."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "rendering"]}}


def run_worker() -> None:
    """Run the worker until the queue is empty, without its signal handlers."""
    LeasedWorker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="worker",
    ).run()


def keys() -> set[str]:
    return {f"{folder}/{name}" for folder in ("audio", "covers") for name in default_storage.listdir(folder)[1]}


def location_of(answer) -> str:
    assert answer.status_code == 302, answer
    return answer["Location"]


def test_an_upload_is_stored_in_the_bucket_with_its_content_type(s3_server, use_store, artist_api):
    use_store(s3_server)
    before = keys()
    content = audio_sample("flac", cover=image_sample())
    assert upload(artist_api, content, type="text/html").status_code == 201
    song = Song.objects.get()
    assert keys() - before == {song.audio_file.name, song.album.cover_image.name}
    stored = default_storage.bucket.Object(song.audio_file.name)
    assert (stored.content_type, stored.content_length) == (
        "audio/flac",
        len(audio_sample("flac", cover=image_sample())),
    )
    assert stored_files() == set()


def test_a_stream_redirects_to_a_playable_url_in_the_bucket(s3_server, use_store, api, song):
    use_store(s3_server)
    give_audio(song)
    address = location_of(api.get(f"/api/songs/{song.pk}/stream"))
    assert "X-Amz-Signature" in address
    assert requests.get(address, timeout=5).content == b"0123456789"
    part = requests.get(address, headers={"Range": "bytes=2-4"}, timeout=5)
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert requests.get(address, headers={"Range": "bytes=10-"}, timeout=5).status_code == 416
    assert location_of(api.head(f"/api/songs/{song.pk}/stream"))


def test_a_private_song_in_a_bucket_requires_a_signed_url(s3_server, use_store, api, artist_api, private_song):
    use_store(s3_server)
    give_audio(private_song)
    signed = artist_api.get(f"/api/songs/{private_song.pk}").json()["audio_file"]
    assert requests.get(location_of(api.get(signed)), timeout=5).content == b"0123456789"
    assert api.get(signed.partition("?")[0]).status_code == 404


def test_a_cover_in_a_bucket_has_a_permanent_url(s3_server, use_store, api, artist_api, album):
    use_store(s3_server)
    cover = send_image(artist_api, f"/api/albums/{album.pk}", image_sample()).json()["cover_image"]
    assert cover == artist_api.get(f"/api/albums/{album.pk}").json()["cover_image"]
    answer = api.get(cover)
    assert requests.get(location_of(answer), timeout=5).headers["Content-Type"] == "image/jpeg"
    assert int(answer["Cache-Control"].rpartition("=")[2]) <= 300


def test_bucket_urls_are_valid_for_ten_minutes_or_as_configured(s3_server, use_store, api, song, settings):
    use_store(s3_server)
    give_audio(song)
    url = f"/api/songs/{song.pk}/stream"

    assert "X-Amz-Expires=600&" in location_of(api.get(url))
    settings.PRESIGNED_URL_LIFETIME = timedelta(seconds=90)
    assert "X-Amz-Expires=90&" in location_of(api.get(url))


def test_redirects_to_the_bucket_are_not_cached(s3_server, use_store, api, artist_api, song, private_song):
    use_store(s3_server)
    for each in (song, private_song):
        give_audio(each)
    signed = artist_api.get(f"/api/songs/{private_song.pk}").json()["audio_file"]
    plain = f"/api/songs/{song.pk}/stream"

    for client, url, caching in ((api, plain, "no-cache"), (artist_api, plain, "private, no-cache"),
                                 (api, signed, "private, no-cache")):  # fmt: skip
        answer = client.get(url)
        assert (answer.status_code, answer["Cache-Control"]) == (302, caching)
        assert {"Authorization", "Cookie"} <= set(answer["Vary"].split(", "))


def test_the_first_requested_cover_after_a_start_is_found(s3_server, use_store, api):
    use_store(s3_server)
    assert "X-Amz-Signature" in location_of(api.get("/media/covers/00000000-0000-0000-0000-000000000000.jpg"))


def test_replaced_and_deleted_files_are_removed_from_the_bucket(s3_server, use_store, artist_api):
    use_store(s3_server)
    before = keys()
    path = f"/api/songs/{upload(artist_api).json()['id']}"
    old = Song.objects.get().audio_file.name
    song = give_audio(Song.objects.get())
    discard(old)
    assert keys() - before == {song.audio_file.name}
    assert artist_api.delete(path).status_code == 204
    assert keys() == before


@pytest.mark.parametrize("part", ["path", "X-Amz-Expires", "X-Amz-Date", "X-Amz-Signature", "X-Amz-Credential"])
def test_a_changed_bucket_url_is_refused(rclone_s3, use_store, api, make_song, part):
    use_store(rclone_s3)
    song, other = give_audio(make_song()), give_audio(make_song())
    address = location_of(api.get(f"/api/songs/{song.pk}/stream"))
    assert requests.get(address, timeout=5).content == b"0123456789"
    if part == "path":
        changed = address.replace(song.audio_file.name, other.audio_file.name)
    else:
        query = dict(parse_qsl(urlsplit(address).query))
        query[part] = query[part][:-1] + ("0" if query[part][-1] != "0" else "1")
        changed = f"{address.partition('?')[0]}?{urlencode(query)}"
    assert changed != address
    assert requests.get(changed, timeout=5).status_code in REFUSED
    assert requests.get(address.partition("?")[0], timeout=5).status_code in REFUSED


def test_a_bucket_url_expires(rclone_s3, use_store, api, song, settings):
    use_store(rclone_s3)
    give_audio(song)
    lifetime = settings.PRESIGNED_URL_LIFETIME.total_seconds()
    with time_machine.travel(time.time() - lifetime - 60):
        old = location_of(api.get(f"/api/songs/{song.pk}/stream"))
    assert requests.get(old, timeout=5).status_code in REFUSED
    with time_machine.travel(time.time() - lifetime + 120):
        recent = location_of(api.get(f"/api/songs/{song.pk}/stream"))
    assert requests.get(recent, timeout=5).status_code == 200


@pytest.fixture(params=["bucket", "disk"])
def storage_away(request, settings, use_store, tmp_path):
    """Return a function that makes the storage unavailable: the bucket does not answer, or the disk is not mounted."""

    def take():
        if request.param == "bucket":
            use_store(AWAY)
        else:
            (tmp_path / "file").write_text("in the way")
            settings.MEDIA_ROOT = tmp_path / "file"

    return take


def test_an_upload_without_storage_creates_nothing(storage_away, artist_api):
    storage_away()
    answer = upload(artist_api, audio_sample("mp3", cover=image_sample()))
    assert code_of(answer, 503) == ("storage_unavailable", None)
    assert answer.json()["type"] == "server_error"
    assert (Song.objects.count(), Album.objects.count(), Genre.objects.count()) == (0, 0, 0)


def test_new_audio_and_covers_without_storage_change_nothing(storage_away, artist_api, song, album):
    storage_away()
    file = {"audio_file": io.BytesIO(audio_sample("mp3")), "title": "New"}
    assert code_of(artist_api.patch(f"/api/songs/{song.pk}", file, format="multipart"), 503)[0] == "storage_unavailable"
    answer = send_image(artist_api, f"/api/albums/{album.pk}", image_sample(), title="New")
    assert code_of(answer, 503) == ("storage_unavailable", None)
    assert (Song.objects.get().title, Album.objects.get().title) == ("A song", "An album")
    assert (Song.objects.get().audio_file.name, Album.objects.get().cover_image.name) == ("", "")


def test_streaming_from_an_unmounted_disk_is_an_error(api, settings, song, tmp_path):
    give_audio(song)
    settings.MEDIA_ROOT = tmp_path / "elsewhere"
    assert code_of(api.get(f"/api/songs/{song.pk}/stream"), 503) == ("storage_unavailable", None)


def test_requests_without_files_work_without_storage(storage_away, api, artist_api, song):
    storage_away()
    assert api.get("/api/songs").status_code == 200
    assert artist_api.patch(f"/api/songs/{song.pk}", {"title": "New"}).status_code == 200


@pytest.mark.django_db(transaction=True)  # the worker commits
def test_files_deleted_while_storage_is_unavailable_are_removed_later(
    later_tasks, s3_server, use_store, artist_api, make_song
):
    use_store(s3_server)
    song = give_audio(make_song())
    use_store(AWAY)
    assert artist_api.delete(f"/api/songs/{song.pk}").status_code == 204
    assert not Song.objects.exists()
    run_worker()
    use_store(s3_server)
    assert default_storage.exists(song.audio_file.name)
    run_worker()
    with time_machine.travel(time.time() + 3600):
        run_worker()
    assert not default_storage.exists(song.audio_file.name)


@pytest.mark.django_db(transaction=True)  # the worker commits
def test_the_worker_removes_files_of_deleted_songs(later_tasks, artist_api, make_song):
    song = give_audio(make_song())
    assert artist_api.delete(f"/api/songs/{song.pk}").status_code == 204
    assert stored_files() == {song.audio_file.name}
    run_worker()
    assert stored_files() == set()


def test_a_full_disk_leaves_no_part_of_a_file(artist_api, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "music.streaming.tests.test_storage.FullDisk",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }
    assert code_of(upload(artist_api), 503) == ("storage_unavailable", None)
    assert stored_files() == set()
    assert not Song.objects.exists()
