"""Query plans of lists on SQLite: along an index, even without statistics about the rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Album

pytestmark = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="plans of SQLite")

ORDERINGS = {
    "songs": ["play_count", "like_count", "release_date", "created_at", "title"],
    "albums": ["release_date", "created_at", "title"],
    "artists": ["name", "follower_count", "date_joined"],
}


def plans_of(client, path):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path).json()
    for query in [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "WITH"))]:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query.replace("%", "%%"), ())
            yield "\n".join(step for *_, step in cursor.fetchall())
    if answer.get("next"):
        yield from plans_of(client, answer["next"])


@pytest.fixture
def two_of_each(make_song, artist, other_artist):
    for name, maker in (("Echo", artist), ("Echo again", other_artist)):
        make_song(name, artist=maker, album=Album.objects.create(title=name, artist=maker))


@pytest.mark.parametrize("kind", ORDERINGS)
def test_lists_are_read_along_an_index_without_sorting(api, api_as, listener, two_of_each, kind):
    for client in (api, api_as(listener)):
        for ordering in [sign + name for name in ORDERINGS[kind] for sign in ("", "-")]:
            for plan in plans_of(client, f"/api/{kind}?limit=1&ordering={ordering}"):
                assert "FOR ORDER BY" not in plan, f"{ordering}\n{plan}"


def test_search_results_are_read_by_their_ids(api, two_of_each):
    for plan in plans_of(api, "/api/songs/search?q=artist"):
        assert "artists_by" not in plan, plan
