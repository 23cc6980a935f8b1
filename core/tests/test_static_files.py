"""Static files in production: collected, compressed, with hashed names."""

import os
import re

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.test import Client

from core.server.static_files import is_stale

PAGES = ["/", "/api/docs", "/api/redoc", "/api/songs", "/admin/login/", "/accounts/login"]


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Collect the static files once, and return their folder."""
    return tmp_path_factory.mktemp("collected")


@pytest.fixture
def production(settings, collected):
    settings.STATIC_ROOT = collected
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    backend = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    if not (collected / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.mark.django_db
def test_static_files_have_hashed_names_and_are_cached_for_ever(production):
    client = Client()
    for page in PAGES:
        shown = client.get(page, HTTP_ACCEPT="text/html").content.decode()
        for address in {*re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css|png))"', shown)}:
            answer = client.get(address)
            assert (answer.status_code, "immutable" in answer["Cache-Control"]) == (200, True), f"{address} of {page}"


@pytest.mark.django_db
def test_static_files_are_sent_compressed(production):
    address = re.search(r"/static/welcome/welcome\.\w+\.css", Client().get("/").content.decode())

    answer = Client().get(address.group(), HTTP_ACCEPT_ENCODING="gzip")

    assert answer["Content-Encoding"] == "gzip"


def test_static_files_are_stale_if_missing_or_older_than_a_source(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    assert is_stale()

    manifest = tmp_path / "staticfiles.json"
    manifest.write_text("{}")
    assert not is_stale()

    before_the_last_change = (configured.BASE_DIR / "Pipfile.lock").stat().st_mtime - 1
    os.utime(manifest, (before_the_last_change, before_the_last_change))
    assert is_stale()
