import unicodedata

import pytest

from music.models import Album, Genre, Song
from music.tests.uploads import code_of


@pytest.fixture
def titles(api):
    """Return a function that requests a list with parameters and returns the titles, in order."""

    def found(path="/api/songs", **parameters):
        answer = api.get(path, parameters)
        assert answer.status_code == 200, answer.content
        return [row["title"] for row in answer.json()["results"]]

    return found


@pytest.fixture
def catalogue(make_song, make_user):
    beyonce = make_user("bey", role="artist", name="Beyoncé")
    björk = make_user("bjork", role="artist", name="Björk")
    lemonade = Album.objects.create(title="Lémonade", artist=beyonce, release_date="2016-04-23")
    debut = Album.objects.create(title="Debut", artist=björk, release_date="1993-07-05")
    pop, electronic = Genre.objects.create(title="Pop"), Genre.objects.create(title="Électronique")
    make_song("Formation", artist=beyonce, album=lemonade, genre=pop, release_date="2016-02-06", explicit=True)
    make_song("Sorry", artist=beyonce, album=lemonade, genre=pop, release_date="2016-04-23")
    make_song("Jóga", artist=björk, genre=electronic, release_date="1997-09-15")
    make_song("Human Behaviour", artist=björk, album=debut, genre=electronic, release_date="1993-06-07")
    make_song("50% off_ \\ sale", artist=björk)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("form", {"Formation"}),
        ("FORM", {"Formation"}),
        ("joga", {"Jóga"}),
        ("JÓGA", {"Jóga"}),
        ("o", {"Formation", "Sorry", "Jóga", "Human Behaviour", "50% off_ \\ sale"}),
        ("%", {"50% off_ \\ sale"}),
        ("_", {"50% off_ \\ sale"}),
        ("\\", {"50% off_ \\ sale"}),
        ("'", set()),
        ("no such", set()),
    ],
)
def test_title_filter_matches_a_part_ignoring_case_and_accents(catalogue, titles, title, found):
    assert set(titles(title=title)) == found


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("artist", "beyonce", {"Formation", "Sorry"}),
        ("artist", " BEYONCÉ ", {"Formation", "Sorry"}),
        ("artist", "beyon", set()),
        ("album", "lemonade", {"Formation", "Sorry"}),
        ("album", "LÉMONADE", {"Formation", "Sorry"}),
        ("album", "lemon", set()),
        ("genre", "electronique", {"Jóga", "Human Behaviour"}),
        ("genre", "nothing", set()),
        ("genre", "00000000-0000-0000-0000-000000000000", set()),
        ("album", "x" * 5000, set()),
    ],
)
def test_artist_album_and_genre_filters_match_the_full_name(catalogue, titles, parameter, value, found):
    assert set(titles(**{parameter: value})) == found


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("İbrahim Tatlıses", "İBRAHİM TATLISES"),
        ("İbrahim Tatlıses", "ibrahim tatlises"),
        ("Ζορμπάς", "ΖΟΡΜΠΑΣ"),
        ("Алёна Апина", "алена апина"),
        ("Ёлка", "ЕЛКА"),
        ("Don’t", "don't"),
        ("Don't", "DON’T"),
        ("“Heroes”", '"heroes"'),
        ("Große Freiheit", "GROSSE FREIHEIT"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"),
        ("שָׁלוֹם", "שלום"),
        ("أُغْنِيَة", "اغنية"),
        ("Đàm Vĩnh Hưng", "dam vinh hung"),
        ("MØ", "mo"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("バンド", "ﾊﾞﾝﾄﾞ"),
        ("❤️", "❤"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_names_are_compared_without_case_and_accents_in_every_script(make_song, make_user, titles, name, typed):
    artist = make_user("x", role="artist", name=name)
    album, genre = Album.objects.create(title=name, artist=artist), Genre.objects.create(title=name)
    make_song(name, artist=artist, album=album, genre=genre)
    make_song("Another")
    for parameter in ("artist", "album", "genre", "title", "search"):
        assert titles(**{parameter: typed}) == [name], parameter
    assert titles("/api/albums", artist=typed) == titles("/api/albums", search=typed) == [name]
    assert titles("/api/genres", search=typed) == [name]
    part = unicodedata.normalize("NFKC", typed)[:3]
    assert titles(title=part) == titles(title=part.upper()) == [name]


@pytest.mark.parametrize(("name", "typed"), [("カ", "ガ"), ("и", "й"), ("і", "ї"), ("하", "한"), ("у", "ў")])
def test_other_letters_are_not_taken_for_accents(make_song, make_user, titles, name, typed):
    make_song(name, artist=make_user("x", role="artist", name=name))
    for parameter in ("artist", "title", "search"):
        assert titles(**{parameter: typed}) == []


@pytest.mark.parametrize("invisible", ["\u200b", "\ufe0f", "\u200d\u2060"])
def test_an_invisible_title_narrows_nothing(catalogue, titles, invisible):
    assert len(titles(title=invisible)) == 5


def test_artist_album_and_genre_filters_match_the_id(catalogue, titles):
    song = Song.objects.get(title="Formation")
    for parameter, row in (("artist", song.artist), ("album", song.album), ("genre", song.genre)):
        assert set(titles(**{parameter: str(row.pk)})) == {"Formation", "Sorry"}
        assert set(titles(**{parameter: str(row.pk).upper()})) == {"Formation", "Sorry"}


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"date_from": "2016-04-23"}, {"Sorry"}),
        ({"date_to": "1993-06-07"}, {"Human Behaviour"}),
        ({"date_from": "1997-09-15", "date_to": "2016-02-06"}, {"Jóga", "Formation"}),
        ({"date_from": "2017-01-01"}, set()),
        ({"date_from": "2016-01-01", "date_to": "2015-01-01"}, set()),
        ({"explicit": "true"}, {"Formation"}),
        ({"explicit": "1", "artist": "björk"}, set()),
        ({"explicit": "FALSE", "artist": "beyoncé"}, {"Sorry"}),
        ({"search": "beyonce"}, {"Formation", "Sorry"}),
        ({"search": "joga"}, {"Jóga"}),
        ({"search": "lemonade sorry"}, {"Sorry"}),
        ({"search": "electronique"}, {"Jóga", "Human Behaviour"}),
        ({"search": "beyonce", "title": "form"}, {"Formation"}),
    ],
)
def test_filters_are_combined_with_and(catalogue, titles, parameters, found):
    assert set(titles(**parameters)) == found


def test_empty_and_unknown_parameters_do_not_filter(catalogue, titles):
    empty = dict.fromkeys(("title", "artist", "album", "genre", "date_from", "date_to", "explicit", "search"), "")
    assert len(titles(**empty)) == len(titles(colour="red", visibility="private", page=7, offset=9)) == 5


@pytest.mark.parametrize("path", ["/api/songs", "/api/albums"])
@pytest.mark.parametrize("parameter", ["date_from", "date_to"])
@pytest.mark.parametrize("value", ["soon", "2020-13-01", "2020", "20200101", "0000-01-01", "10000-01-01", "%00"])
def test_an_invalid_date_is_refused(api, db, path, parameter, value):
    assert code_of(api.get(f"{path}?{parameter}={value}"))[1] == parameter


@pytest.mark.parametrize("value", ["yes please", "2", "null", "t r u e"])
def test_an_invalid_boolean_is_refused(api, db, value):
    assert code_of(api.get("/api/songs", {"explicit": value})) == ("invalid", "explicit")


@pytest.mark.parametrize("parameter", ["title", "search", "artist", "album", "genre"])
def test_strange_text_in_a_filter_matches_nothing_or_something_without_an_error(api, catalogue, parameter):
    for text in ("ﷺ" * 200, "1_" * 16, "{}", '"', "; DROP TABLE", "_", "'", "%", "\u202e", "½", "--"):
        assert api.get("/api/songs", {parameter: text}).status_code == 200, text
    assert api.get(f"/api/songs?{parameter}=%ff%fe%ed%a0%80").status_code == 200


@pytest.mark.parametrize("parameter", ["title", "search", "artist", "album", "genre"])
@pytest.mark.parametrize("text", ["\0", "x" * 60_000], ids=["NUL", "too long"])
def test_nul_and_very_long_text_in_a_filter_are_refused(api, catalogue, parameter, text):
    assert api.get("/api/songs", {parameter: text}).status_code == 400


def test_a_title_filter_longer_than_any_title_is_refused(api, catalogue):
    assert code_of(api.get("/api/songs", {"title": "ab " * 3000})) == ("max_length", "title")


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["Lémonade", "Debut"]),
        ({"ordering": "release_date"}, ["Debut", "Lémonade"]),
        ({"ordering": "title"}, ["Debut", "Lémonade"]),
        ({"ordering": "-created_at"}, ["Debut", "Lémonade"]),
        ({"search": "lemon"}, ["Lémonade"]),
        ({"search": "BJORK"}, ["Debut"]),
        ({"artist": "bjork"}, ["Debut"]),
        ({"artist": "nobody"}, []),
        ({"date_from": "2016-04-23"}, ["Lémonade"]),
        ({"date_to": "2016-04-22"}, ["Debut"]),
    ],
)
def test_albums_are_filtered_and_ordered(catalogue, titles, parameters, found):
    assert titles("/api/albums", **parameters) == found


@pytest.mark.parametrize(
    ("ordering", "first"),
    [
        (None, "newest"),
        ("-created_at", "newest"),
        ("created_at", "oldest"),
        ("title", "Álbum"),
        ("-title", "zebra"),
        ("-play_count", "zebra"),
        ("play_count", "Álbum"),
        ("-like_count", "oldest"),
        ("release_date", "oldest"),
        ("-release_date", "zebra"),
    ],
)
def test_songs_are_ordered_by_the_ordering_parameter(make_song, titles, ordering, first):
    make_song("oldest", play_count=5, like_count=9, release_date="1990-01-01")
    make_song("zebra", play_count=9, like_count=5, release_date="2020-01-01")
    make_song("Álbum", play_count=1, like_count=5)
    make_song("newest", play_count=5, like_count=1)
    found = titles(**({"ordering": ordering} if ordering else {}))
    assert (found[0], len(found)) == (first, 4)


def test_a_song_without_a_date_is_last_in_both_directions(make_song, titles):
    make_song("undated")
    make_song("dated", release_date="2020-01-01")
    assert titles(ordering="release_date")[-1] == titles(ordering="-release_date")[-1] == "undated"


def test_a_single_song_ignores_filters_of_the_list(api, song):
    assert api.get(f"/api/songs/{song.pk}?date_from=nonsense&title=other").status_code == 200
