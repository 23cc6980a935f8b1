import codecs
import gc
import multiprocessing
import os
import signal
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application

from core.server.serve import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "Spotify_Clone.settings")

# Python's codecs include some that are no character set ("zlib", "punycode"), and a client may name one.
CHARSETS = {"utf-8", "ascii", "iso8859-1", "cp1252"}


class Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)
            known = not self.encoding or codecs.lookup(self.encoding).name in CHARSETS
        except (LookupError, ValueError):
            known = False
        if not known:
            self._encoding = None
            vars(self).pop("GET", None)  # was read with what is no character set


if multiprocessing.parent_process():
    # A process of the server that outlives it would hold the port, and no other server could start.
    die_with_parent(signal.SIGKILL)

WSGIHandler.request_class = Request
application = get_wsgi_application()

# What was loaded stays: the collector need not go through it again and again, and an answer makes more than the 700
# objects after which it would start by itself.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
