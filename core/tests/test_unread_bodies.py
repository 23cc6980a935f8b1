"""Whoever is refused may still be sending: the whole body is read, so that a proxy in front passes on our answer."""

import pytest

from music.tests.uploading import upload

pytestmark = pytest.mark.django_db


def left_unread(answer):
    return answer.wsgi_request._stream.read(1)


def test_an_upload_that_is_refused_at_the_door_is_read_to_its_end(api):
    answer = upload(api, bytes(3 * 2**20))

    assert (answer.status_code, left_unread(answer)) == (401, b"")


def test_an_upload_to_nowhere_is_read_to_its_end(api):
    answer = api.post("/api/nowhere", bytes(3 * 2**20), content_type="application/octet-stream")

    assert (answer.status_code, left_unread(answer)) == (404, b"")


def test_one_that_was_read_changes_nothing(api):
    assert api.post("/api/login", {"email": "a@example.com", "password": "wrong"}).status_code == 401
