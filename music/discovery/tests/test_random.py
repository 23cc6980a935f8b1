from collections import Counter

import pytest

from music.discovery.random_songs import draw
from music.models import Song, SongCounts

# The 99.9 % quantile of χ² with 49 degrees of freedom: a fair draw of 50 songs stays below it 999 times in 1,000.
CHI_SQUARE_LIMIT = 85.35


@pytest.fixture
def make_songs(artist):
    def make(number, **fields):
        songs = Song.objects.bulk_create(Song(title=f"Song {n}", artist=artist, **fields) for n in range(number))
        SongCounts.objects.bulk_create(SongCounts(song=song) for song in songs)
        return songs

    return make


def ids(answer):
    return [song["id"] for song in answer.json()["results"]]


def test_songs_do_not_repeat_and_two_responses_differ(api, make_songs):
    make_songs(50)
    first, second = ids(api.get("/api/songs/random?limit=10")), ids(api.get("/api/songs/random?limit=10"))
    assert len(first) == len(set(first)) == 10
    assert first != second


def test_every_public_song_is_equally_likely(make_songs):
    make_songs(20, visibility="private")
    songs = make_songs(70)
    Song.objects.filter(pk__in=[song.pk for song in songs[::4]]).delete()  # gaps in the numbering
    left = set(Song.objects.public().values_list("pk", flat=True))
    public = Song.objects.public().with_counts()

    def fetch_songs(numbers):
        return list(public.filter(number__in=numbers))

    seen = Counter(song.pk for _ in range(600) for song in draw(fetch_songs, 10))
    expected = 600 * 10 / len(left)
    assert set(seen) == left
    assert sum((seen[pk] - expected) ** 2 / expected for pk in left) < CHI_SQUARE_LIMIT * len(left) / 49


def test_rare_public_songs_among_many_private_ones_are_found(api, make_songs):
    make_songs(300, visibility="private")
    make_songs(3)
    assert len(ids(api.get("/api/songs/random?limit=20"))) == 3


def test_an_empty_catalogue_gives_an_empty_list(api, db):
    assert api.get("/api/songs/random").json() == {"next": None, "previous": None, "results": []}


def test_responses_must_not_be_cached(api, make_songs):
    make_songs(3)
    answer = api.get("/api/songs/random")
    assert "ETag" not in answer.headers
    assert answer["Cache-Control"] == "private, no-store"


def test_a_draw_takes_one_query_once_the_range_of_numbers_is_cached(api, make_songs, django_assert_num_queries):
    make_songs(100)
    api.get("/api/songs/random")
    for limit in (1, 20):
        with django_assert_num_queries(1):
            assert len(ids(api.get(f"/api/songs/random?limit={limit}"))) == limit
