"""The daily limit of uploads for each artist (UPLOADS_PER_DAY)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from music.models import Song
from music.tests.samples import audio_sample
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401  (a database on disk)
from music.tests.uploads import stored_files, upload

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def two_a_day(settings):
    settings.UPLOADS_PER_DAY = 2


def statuses(client, number: int) -> list[int]:
    return [upload(client, title=f"Song {n}").status_code for n in range(number)]


def test_an_upload_over_the_limit_is_refused_until_tomorrow(api_as, artist):
    client = api_as(artist)
    with time_machine.travel(NOON, tick=False):
        assert statuses(client, 2) == [201, 201]
        files = stored_files()
        refused = upload(client, title="One too many")

    assert (refused.status_code, refused["Retry-After"]) == (429, str(12 * 3600))
    assert refused.json()["errors"][0]["code"] == "throttled"
    assert Song.objects.count() == 2
    assert stored_files() == files
    with time_machine.travel(NOON + timedelta(hours=12), tick=False):
        assert statuses(client, 3) == [201, 201, 429]


def test_each_artist_has_a_limit_of_their_own(api_as, artist, other_artist):
    assert statuses(api_as(artist), 3) == [201, 201, 429]
    assert statuses(api_as(other_artist), 1) == [201]


def test_new_recordings_and_deleted_songs_count_as_uploads(api_as, artist):
    client = api_as(artist)
    address = f"/api/songs/{upload(client).data['id']}"
    replacing = {"audio_file": SimpleUploadedFile("b.mp3", audio_sample("mp3"))}
    assert client.patch(address, replacing, format="multipart").status_code == 200
    assert client.patch(address, {"title": "Only its name"}, format="json").status_code == 200
    assert client.delete(address).status_code == 204

    assert statuses(client, 1) == [429]


def test_refused_uploads_do_not_count(api_as, artist):
    client = api_as(artist)
    assert [upload(client, b"no music").status_code for _ in range(3)] == [400] * 3
    assert statuses(client, 2) == [201, 201]


def test_concurrent_uploads_do_not_exceed_the_limit(api_as, artist):
    client = api_as(artist)
    answers = []
    at_once([lambda: answers.append(upload(client).status_code)] * 4)

    assert sorted(answers) == [201, 201, 429, 429]
    assert Song.objects.count() == 2
    assert len(stored_files()) <= 3  # two recordings, and the album's cover that came with them


def test_a_limit_of_0_means_unlimited(api_as, artist, settings):
    settings.UPLOADS_PER_DAY = 0
    assert statuses(api_as(artist), 3) == [201] * 3
