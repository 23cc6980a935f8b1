"""Query plans of frequent requests on PostgreSQL with 100,000 songs: by an index, without sorting all songs."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Play

SONGS = 100_000
# Only what was executed reads rows: counts for a child are a subplan that other callers' queries have but do not run.
LARGE = re.compile(r"Seq Scan on music_(song|songcounts|trend|searchentry)\b(?!.*never executed)")
# As a replica PostgreSQL runs no triggers and checks no foreign keys: that takes seconds instead of a minute.
FILL = """
    SET LOCAL session_replication_role = replica;
    INSERT INTO music_song (
        id, created_at, updated_at, title, title_folded, artist_id, genre_id, duration, release_date, explicit,
        visibility, is_hidden, licensing_info, audio_file, audio_format, audio_bytes, bitrate, is_public, card
    )
    SELECT gen_random_uuid(), now() - n * interval '1 s', now(), 'Song ' || n, 'song ' || n, %(artist)s, %(genre)s, 200,
        date '2000-01-01' + n %% 9000, n %% 10 = 0, 'public', false, '', '', '', 0, 0, true, template.card
    FROM generate_series(1, %(songs)s) n, (SELECT card FROM music_song WHERE id = %(song)s) template;
    INSERT INTO music_songcounts (song_id, play_count, like_count, starting_play_count)
    SELECT id, row_number() OVER (), 0, 0 FROM music_song WHERE id <> %(song)s;
    INSERT INTO music_trend (song_id, overall, month, week)
    SELECT song_id, play_count, play_count %% 100, play_count %% 20 FROM music_songcounts ON CONFLICT DO NOTHING;
    INSERT INTO music_searchentry (kind, object_id, name, credit, terms)
    SELECT 'song', id, title_folded, 'the artist',
        array_to_tsvector(ARRAY['#song', '#1', 'song', split_part(title, ' ', 2)])
    FROM music_song ON CONFLICT DO NOTHING;
    SET LOCAL session_replication_role = origin;
    ANALYZE;
"""

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL")


@pytest.fixture
def many_songs(make_song, genre, artist):
    song = make_song(genre=genre)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"artist": artist.pk, "genre": genre.pk, "song": song.pk, "songs": SONGS})
    return song


def plans_of(client, path):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200, path
    for query in [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "WITH", "EXECUTE"))]:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, TIMING OFF) " + query)
            yield "\n".join(line for (line,) in cursor.fetchall())


def test_frequent_requests_take_few_queries_that_use_indexes(api, api_as, listener, many_songs):
    Play.objects.create(listener=listener, song=many_songs)
    deep = api.get("/api/songs?limit=100").json()["next"]
    genre = many_songs.genre_id
    orderings = [sign + name for name in ("play_count", "release_date", "created_at", "title") for sign in ("", "-")]
    asked = [
        *[f"/api/songs?ordering={ordering}" for ordering in orderings],
        *(deep, f"/api/songs?genre={genre}", f"/api/songs?artist={many_songs.artist_id}"),
        *(f"/api/songs/{many_songs.pk}", f"/api/songs/{many_songs.pk}/similar", "/api/songs/random"),
        *("/api/songs/trending", "/api/songs/trending?time_range=week", f"/api/songs/trending?genre={genre}"),
        *("/api/songs/search?q=song+77", f"/api/artists/{many_songs.artist_id}/songs", "/api/albums", "/api/artists"),
    ]
    most = {
        "/api/songs": 1,
        f"/api/songs/{many_songs.pk}": 1,
        "/api/songs/random": 1,
        "/api/songs/trending": 1,
        "/api/songs/search?q=song": 6,
        "/api/songs/search?q=sogn&type=song": 6,
    }
    for client, token in ((api, 0), (api_as(listener), 1)):
        for path in asked:
            for plan in plans_of(client, path):
                assert not LARGE.search(plan), f"{path}\n{plan}"
                for rows in re.findall(r"Sort .*actual rows=(\d+)", plan):
                    assert int(rows) < 1000, f"{path}\n{plan}"
        for path, number in most.items():
            client.get(path)  # a first request may refresh what is computed from time to time
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            assert len(queries) <= number + token, path
