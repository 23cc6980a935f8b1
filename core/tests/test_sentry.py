"""Error reports to Sentry, from a process of its own as in production."""

import gzip
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.conf import settings

BREAK = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "Spotify_Clone.settings"
import django
django.setup()
from unittest import mock
from django.test import Client
from users.api import viewsets as views
from core.jobs.worker import logger

client = Client(raise_request_exception=False)
with mock.patch("users.registration.register", side_effect=RuntimeError("nina@example.com broke it")), \\
     mock.patch("rest_framework.views.APIView.initial", side_effect=RuntimeError("nina@example.com broke it")):
    answer = client.post(
        "/api/login?token=in-the-query",
        {"email": "nina@example.com", "password": "in-the-body"},
        content_type="application/json",
        headers={"Authorization": "Token in-a-header", "X-Request-ID": "told-by-the-client", "Cookie": "a=in-a-cookie"},
    )
assert answer.status_code == 500, answer.status_code
try:
    raise ValueError("a task of sam@example.com")
except ValueError:
    logger.error("%s failed.", "some.task", exc_info=True)
import sentry_sdk
sentry_sdk.flush(5)
"""


@pytest.fixture
def sentry():
    """A Sentry server on this machine: its DSN, and the events that it received."""
    envelopes = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            envelopes.append(gzip.decompress(body).decode() if self.headers.get("Content-Encoding") else body.decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", envelopes
    server.shutdown()
    server.server_close()


def events_in(envelopes):
    parts = [json.loads(line) for envelope in envelopes for line in envelope.splitlines() if line.startswith("{")]
    return [part for part in parts if "exception" in part]


def test_an_error_reaches_sentry_without_personal_data(sentry):
    dsn, envelopes = sentry
    ended = subprocess.run(
        [sys.executable, "-c", BREAK],
        env={**os.environ, "SENTRY_DSN": dsn, "DEBUG": "off", "SECRET_KEY": "s" * 60, "ALLOWED_HOSTS": "testserver",
             "HTTPS": "off", "DATABASE_URL": "sqlite://:memory:", "SLOW_QUERY_MS": ""},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr

    of_request, of_worker = events_in(envelopes)

    assert of_request["tags"]["request_id"] == "told-by-the-client"
    assert of_request["exception"]["values"][-1]["value"] == "[e-mail] broke it"
    assert of_worker["exception"]["values"][-1]["value"] == "a task of [e-mail]"
    sent = "".join(envelopes)
    for secret in ("nina@", "sam@", "in-the-query", "in-the-body", "in-a-header", "in-a-cookie"):
        assert secret not in sent
