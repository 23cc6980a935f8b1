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

# A client may name any of Python's codecs as the charset, also "zlib" or "punycode", which are no character sets.
CHARSETS = {"utf-8", "ascii", "iso8859-1", "cp1252"}


class Request(WSGIRequest):
    """WSGIRequest that falls back to UTF-8 for an unknown charset in Content-Type, where Django would fail."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)
            known = not self.encoding or codecs.lookup(self.encoding).name in CHARSETS
        except (LookupError, ValueError):
            known = False
        if not known:
            self._encoding = None
            vars(self).pop("GET", None)  # was decoded with it


if multiprocessing.parent_process():
    # A worker that outlives granian's main process would hold the port, and no server could start again.
    die_with_parent(signal.SIGKILL)

WSGIHandler.request_class = Request
application = get_wsgi_application()

# Exempt all loaded modules from garbage collection, and collect less often: an answer makes more than the 700 objects
# after which Python collects by default.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
