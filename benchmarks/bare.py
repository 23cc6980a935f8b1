"""The baseline of the figures: bare Django views that return the same bytes, and a plain WSGI file sender.

The views run with the production settings and middleware, but do nothing else: no DRF, no query, no permission.
`BENCHMARK_ANSWERS` is a folder with the bytes of each answer.
"""

import gc
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

FOLDER = Path(os.environ["BENCHMARK_ANSWERS"])
ANSWERS = {file.name: file.read_bytes() for file in FOLDER.iterdir()}
BLOCK = 64 * 1024


def same_bytes(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(ANSWERS[name], content_type="application/json")


def send_file(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """Send the file, or its beginning where the request has `Range: bytes=0-N`."""
    size = (FOLDER / "audio").stat().st_size
    wanted = environ.get("HTTP_RANGE", "").removeprefix("bytes=0-")
    length = int(wanted) + 1 if wanted else size
    headers = [("Content-Type", "audio/mpeg"), ("Content-Length", str(length))]
    if wanted:
        headers.append(("Content-Range", f"bytes 0-{wanted}/{size}"))
    start_response("206 Partial Content" if wanted else "200 OK", headers)
    file = (FOLDER / "audio").open("rb")
    # The fallback of a server without its own sendfile.
    return [file.read(length)] if wanted else environ.get("wsgi.file_wrapper", FileWrapper)(file, BLOCK)


urlpatterns = [path("<name>", same_bytes)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "Spotify_Clone.settings")
settings.ROOT_URLCONF = __name__
if "BENCHMARK_NO_MIDDLEWARE" in os.environ:
    settings.MIDDLEWARE = []
django_view = get_wsgi_application()
# The same settings of the garbage collector as in Spotify_Clone/wsgi.py.
gc.freeze()
gc.set_threshold(10_000)


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/audio":
        return send_file(environ, start_response)
    return django_view(environ, start_response)
