"""docs/security.md names tests that exist, and the API's document lists all routes."""

import re

from django.conf import settings
from drf_spectacular.generators import EndpointEnumerator

from core.tests.test_throttling import routes

DOCUMENT = settings.BASE_DIR / "docs" / "security.md"
# HTML pages, and the view for unknown paths.
LEFT_OUT = {"schema", "docs", "redoc", "api-root", ""}


def rows():
    return [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| **API")]


def test_each_of_the_ten_risks_has_a_row():
    assert [re.match(r"\| \*\*API(\d+)\*\*", row)[1] for row in rows()] == [str(number) for number in range(1, 11)]


def test_every_test_that_the_table_names_exists():
    for row in rows():
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", row)
        assert len(named) >= 3, row
        for path, name in named:
            assert re.search(rf"^def {name}\(", (settings.BASE_DIR / path).read_text(), re.MULTILINE), (path, name)


def test_every_rate_is_in_the_table_and_in_the_configuration():
    texts = [DOCUMENT.read_text(), (settings.BASE_DIR / "docs/configuration.md").read_text()]

    for name in settings.THROTTLE_RATES:
        assert all(f"`THROTTLE_{name.upper()}`" in text for text in texts), name


def test_what_the_document_leaves_out_is_known():
    from django.urls import get_resolver

    documented = {callback.cls for _, _, _, callback in EndpointEnumerator().get_api_endpoints()}
    views = {name: view.cls for name, view in routes(get_resolver().url_patterns) if hasattr(view, "cls")}

    assert {name for name, view in views.items() if view not in documented} <= LEFT_OUT
