import json
import random
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from itertools import chain

import pytest

from music.models import Album, Genre, Song, SongCounts
from music.tests.uploads import code_of

START = datetime.fromisoformat("2026-01-01T12:00:00.000001+00:00")
SONG_ORDERINGS = ["play_count", "like_count", "release_date", "created_at", "title"]
ALBUM_ORDERINGS = ["release_date", "created_at", "title"]
LISTS = [
    *(("/api/songs", sign + name) for name in SONG_ORDERINGS for sign in ("", "-")),
    *(("/api/albums", sign + name) for name in ALBUM_ORDERINGS for sign in ("", "-")),
    *(("/api/genres", sign + "title") for sign in ("", "-")),
    ("/api/albums/{album}/songs", ""),
]
DATES = [None, "1999-12-31", "2020-02-29"]


@pytest.fixture
def shelf(artist):
    """22 albums, genres and songs with few different sort keys, so that there are many ties and nulls."""
    chance = random.Random(5)
    albums = [
        Album(title=f"Title {number // 6}", artist=artist, release_date=chance.choice(DATES)) for number in range(22)
    ]
    Album.objects.bulk_create(albums)
    Genre.objects.bulk_create(Genre(title=f"Genre {number}") for number in range(22))
    add_songs(artist, album=albums[0], chance=chance, how_many=22)
    # Rows less than a millisecond apart, between which a page may end.
    for model in (Song, Album):
        for number, row in enumerate(model.objects.all()):
            model.objects.filter(pk=row.pk).update(created_at=START + timedelta(microseconds=number // 2))
    return albums[0]


def add_songs(artist, *, album, chance, how_many):
    songs = [
        Song(
            title=f"Title {chance.randrange(3)}",
            artist=artist,
            album=album,
            release_date=chance.choice(DATES),
            track_number=chance.choice([None, 1, 2]),
        )
        for _ in range(how_many)
    ]
    Song.objects.bulk_create(songs)
    SongCounts.objects.bulk_create(
        SongCounts(song=song, play_count=chance.randrange(3), like_count=chance.randrange(2)) for song in songs
    )


def in_a_row(pages):
    return list(chain.from_iterable(pages))


def walk(api, url, direction="next"):
    """Follow the links from a page on and return the ids of each page."""
    pages = []
    while url:
        answer = api.get(url)
        assert answer.status_code == 200, answer.content
        pages.append([row["id"] for row in answer.json()["results"]])
        last, url = answer.json(), answer.json()[direction]
        assert len(pages) < 50
    return pages, last


@pytest.mark.parametrize(("path", "ordering"), LISTS)
def test_paging_forward_visits_every_row_once_and_backward_in_reverse(api, shelf, path, ordering):
    url = f"{path.format(album=shelf.pk)}?limit=5&ordering={ordering}"
    whole = [row["id"] for row in api.get(url.replace("limit=5", "limit=100")).json()["results"]]
    there, last_page = walk(api, url)
    assert [len(page) for page in there] == [5, 5, 5, 5, 2]
    assert in_a_row(there) == whole
    assert len(set(whole)) == 22
    back, first_page = walk(api, last_page["previous"], "previous")
    assert in_a_row(reversed(back)) == whole[:20]
    assert first_page["previous"] is None
    assert walk(api, first_page["next"])[0] == there[1:]


@pytest.mark.parametrize("ordering", ["release_date", "-release_date"])
@pytest.mark.parametrize("path", ["/api/songs", "/api/albums"])
def test_nulls_are_last_in_both_directions(api, shelf, path, ordering):
    dates = [row["release_date"] for row in api.get(f"{path}?limit=100&ordering={ordering}").json()["results"]]
    known = [date for date in dates if date]
    assert dates == sorted(known, reverse=ordering.startswith("-")) + [None] * (22 - len(known))
    assert 0 < len(known) < 22


@pytest.mark.parametrize("ordering", [sign + name for name in SONG_ORDERINGS for sign in ("", "-")])
def test_inserted_and_deleted_rows_do_not_shift_other_rows_between_pages(api, shelf, artist, ordering):
    chance = random.Random(ordering)
    there_from_the_start = list(Song.objects.values_list("pk", flat=True))
    doomed = set(chance.sample(there_from_the_start, 6))
    seen, url = [], f"/api/songs?limit=4&ordering={ordering}"
    while url:
        answer = api.get(url).json()
        seen += [row["id"] for row in answer["results"]]
        url = answer["next"]
        add_songs(artist, album=None, chance=chance, how_many=1)
        # This includes the row from which the next page's cursor is made.
        gone = doomed & {*list(doomed)[:1], answer["results"][-1]["id"] if answer["results"] else None}
        Song.objects.filter(pk__in=gone).delete()
        doomed -= gone
        assert len(seen) < 100
    assert len(seen) == len(set(seen))
    staying = set(map(str, Song.objects.filter(pk__in=there_from_the_start).values_list("pk", flat=True)))
    assert staying <= set(seen)


def test_the_next_page_works_after_the_last_row_was_deleted(api, shelf):
    first = api.get("/api/songs?limit=5&ordering=title").json()
    whole = [row["id"] for row in api.get("/api/songs?limit=100&ordering=title").json()["results"]]
    Song.objects.filter(pk=first["results"][-1]["id"]).delete()
    assert [row["id"] for row in api.get(first["next"]).json()["results"]] == whole[5:10]


def test_paging_back_from_an_emptied_page_skips_no_row(api, shelf):
    first = api.get("/api/songs?limit=20").json()
    rest = api.get(first["next"]).json()
    Song.objects.filter(pk__in=[row["id"] for row in rest["results"]]).delete()
    empty = api.get(first["next"]).json()
    assert (empty["results"], empty["next"]) == ([], None)
    assert api.get(empty["previous"]).json()["results"] == first["results"]
    Song.objects.exclude(pk__in=[row["id"] for row in rest["results"]]).delete()
    empty = api.get(empty["previous"]).json()
    assert (empty["results"], empty["previous"]) == ([], None)
    assert api.get(empty["next"]).json()["results"] == []


def test_an_empty_list_has_no_next_or_previous_page(api, db):
    assert api.get("/api/songs").json() == {"next": None, "previous": None, "results": []}


def test_page_links_keep_the_query_parameters(api, shelf):
    following = api.get("/api/songs?limit=3&ordering=-title&artist=the%20artist&explicit=false").json()["next"]
    for part in ("limit=3", "ordering=-title", "artist=the", "explicit=false", "http://testserver/api/songs?"):
        assert part in following
    assert api.get(following).status_code == 200


def test_a_page_has_20_rows_and_at_most_100(api, shelf):
    assert len(api.get("/api/songs").json()["results"]) == 20
    assert len(api.get("/api/songs?limit=1").json()["results"]) == 1
    assert len(api.get("/api/songs?limit=100").json()["results"]) == 22


@pytest.mark.parametrize("path", ["/api/songs", "/api/albums/{album}/songs"])
@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "", "many", "1e1", "١", "%2B5", "9" * 400, "5%00", "None"])
def test_an_invalid_limit_is_refused(api, album, path, limit):
    answer = api.get(f"{path.format(album=album.pk)}?limit={limit}")
    assert code_of(answer) == ("invalid", "limit")


@pytest.mark.parametrize("path", ["/api/songs", "/api/albums"])
@pytest.mark.parametrize("ordering", ["x", "-", "--title", "title,id", "Title", "id", "artist__password", "%3F", "%00"])
def test_an_invalid_ordering_is_refused(api, db, path, ordering):
    assert code_of(api.get(f"{path}?ordering={ordering}")) == ("invalid", "ordering")


def encoded(content) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


ID = "88ada7db-b280-40ce-ba1c-1e782f8570d4"


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "é", "=", "%00", "A" * 10_000),
        *(encoded(raw) for raw in (b"\xff", b"[[[[" * 5000, b'[true, NaN, "x", false]')),
        *(
            encoded(value)
            for value in (
                {},
                [],
                "abc",
                5,
                None,
                [True, 1],
                [True, 1, 2],
                [True, 1, 2, False],
                [None] * 4,
                [1, "a", ID, False],
            )
        ),
        *(encoded([False, key, ID, False]) for key in (None, [], {}, ["a"])),
        *(encoded([False, "2020-01-01", id, False]) for id in ("", "x", "\0", "\ud800", None, 5)),
    ],
)
def test_an_invalid_cursor_is_refused(api, db, cursor):
    assert code_of(api.get(f"/api/songs?cursor={cursor}")) == ("invalid", "cursor")


FORGED_KEYS = [
    *("", "a\0b", "\ud800", "x" * 5000, "1" * 5000, "٣"),
    *(-1, 1.5, True, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("-inf")),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2020-01-01T00:00:00", "2020-01-01T00:00:00+99:99"),
    *("0001-01-01", "9999-12-31", "0000-00-00", "2020-02-30", "2020-01-01 00:00:00.123456+00:00"),
]


@pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")
@pytest.mark.parametrize(("path", "ordering"), [*LISTS[:10:2], *LISTS[-3::2]])
def test_a_forged_cursor_gives_a_page_or_a_validation_error(api, shelf, path, ordering):
    path = path.format(album=shelf.pk)
    for number, key in enumerate(FORGED_KEYS):
        cursor = encoded([number % 2 == 0, key, ID, number % 3 == 0])
        answer = api.get(path, {"cursor": cursor, "ordering": ordering, "limit": 3})
        if answer.status_code != 200:
            assert code_of(answer) == ("invalid", "cursor")
        elif link := answer.json()["next"] or answer.json()["previous"]:
            assert api.get(link).status_code == 200


def test_a_cursor_of_another_ordering_gives_a_page_or_a_validation_error(api, shelf):
    following = api.get("/api/songs?limit=3&ordering=title").json()["next"]
    for name in SONG_ORDERINGS:
        answer = api.get(following.replace("ordering=title", f"ordering={name}"))
        assert answer.status_code == 200 or code_of(answer) == ("invalid", "cursor")
