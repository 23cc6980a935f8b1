"""Bodies of refused requests are read to the end, so that a proxy in front passes on our answer."""

import pytest

from music.tests.uploads import upload

pytestmark = pytest.mark.django_db


def left_unread(answer):
    return answer.wsgi_request._stream.read(1)


def test_the_body_of_a_refused_upload_is_read(api):
    answer = upload(api, bytes(3 * 2**20))

    assert (answer.status_code, left_unread(answer)) == (401, b"")


def test_the_body_of_an_upload_to_an_unknown_path_is_read(api):
    answer = api.post("/api/nowhere", bytes(3 * 2**20), content_type="application/octet-stream")

    assert (answer.status_code, left_unread(answer)) == (404, b"")


def test_an_upload_that_was_read_already_is_answered(api):
    assert api.post("/api/login", {"email": "a@example.com", "password": "wrong"}).status_code == 401
