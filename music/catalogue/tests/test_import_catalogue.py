import csv
import gzip
import io
from datetime import date

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from music.models import Album, Genre, Song, SongCounts
from music.tests.samples import audio_sample, tone
from music.tests.uploads import body_of, code_of, stored_files
from users.models import User

COLUMNS = ["title", "artist", "album", "genre", "release_date", "duration", "explicit", "play_count", "audio"]
ROW = dict(
    zip(COLUMNS, ["Jóga", "Björk", "Homogenic", "Art pop", "1997-09-15", "305", "false", "1234", ""], strict=True)
)


@pytest.fixture
def table(tmp_path, db):
    """Return a function that writes rows to a CSV file; columns that a row omits are taken from ROW."""

    def write(*rows, columns=COLUMNS, encoding="utf-8", name="songs.csv"):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([(ROW | row).get(column, "") for column in columns])
        content = text.getvalue().encode(encoding)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def run(path, **options) -> tuple[str, str]:
    """Run the command and return its output and its errors."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_catalogue", str(path), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def titles() -> set[str]:
    return set(Song.objects.values_list("title", flat=True))


def test_a_row_becomes_a_song_with_its_artist_album_and_genre(table, api):
    out, err = run(table({"explicit": "True"}))
    assert (out.strip(), err) == ("1 songs imported, 0 were there already, 0 rows skipped.", "")
    shown = api.get("/api/songs").json()["results"][0]
    assert (shown["title"], shown["artist"]["name"], shown["album"]["title"]) == ("Jóga", "Björk", "Homogenic")
    assert (shown["genre"]["title"], shown["release_date"], shown["duration"]) == ("Art pop", "1997-09-15", 305)
    assert (shown["explicit"], shown["play_count"], shown["like_count"]) == (True, 1234, 0)
    assert (shown["audio_file"], shown["visibility"]) == (None, "public")
    assert code_of(api.get(f"/api/songs/{shown['id']}/stream"), 404) == ("no_audio", None)
    assert SongCounts.objects.get().starting_play_count == 1234
    assert api.get("/api/songs?title=joga&artist=bjork").json()["results"] == [shown]


def test_an_imported_account_has_no_usable_password(table, settings):
    run(table({}))
    account = User.objects.get()
    assert (account.email, account.role, account.has_usable_password()) == (None, "artist", False)
    assert account.profile
    assert authenticate(username=account.username, password="") is None


def test_importing_again_adds_nothing(table):
    path = table({}, {"title": "Bachelorette"}, {"title": "Hunter", "artist": "Another"})
    run(path)
    before = [list(model.objects.order_by("pk").values_list("pk")) for model in (Song, Album, Genre, User)]
    out, _ = run(path)
    assert out.strip() == "0 songs imported, 3 were there already, 0 rows skipped."
    assert [list(model.objects.order_by("pk").values_list("pk")) for model in (Song, Album, Genre, User)] == before


def test_a_source_id_identifies_a_song(table):
    columns = [*COLUMNS, "source_id"]
    run(table({"source_id": "1"}, {"source_id": "2"}, {"source_id": "1", "title": "Renamed"}, columns=columns))
    assert list(Song.objects.values_list("title", flat=True)) == ["Jóga", "Jóga"]
    run(table({"source_id": "2", "title": "Other", "artist": "Other"}, {"source_id": "3"}, columns=columns))
    assert Song.objects.count() == 3


def test_long_source_ids_that_differ_at_the_end_are_different_songs(table):
    run(table({"source_id": "x" * 199 + "a"}, {"source_id": "x" * 199 + "b"}, columns=[*COLUMNS, "source_id"]))
    assert Song.objects.count() == 2


def test_without_source_id_title_artist_and_album_identify_a_song(table):
    columns = [*COLUMNS, "source_id"]
    rows = [{}, {"genre": "Pop", "play_count": "1"}, {"album": "Live"}, {"album": ""}, {"title": "Jóga (mix)"}]
    run(table(*rows, columns=columns))
    assert Song.objects.count() == 4
    out, _ = run(table(*rows))
    assert out.startswith("0 songs imported, 5 were there already")


def test_names_are_compared_after_trimming_and_unicode_normalisation(table):
    run(table({"artist": "Björk"}, {"artist": " Bjo\u0308rk ", "title": "Hunter"}, {"title": " Jo\u0301ga "}))
    assert User.objects.get().name == "Björk"
    assert titles() == {"Jóga", "Hunter"}


def test_names_that_differ_in_case_are_two_artists(table):
    run(table({"artist": "Björk"}, {"artist": "BJÖRK", "title": "Hunter"}))
    assert set(User.objects.values_list("name", flat=True)) == {"Björk", "BJÖRK"}
    assert len(set(User.objects.values_list("username_key", flat=True))) == 2


def test_albums_are_shared_per_artist_and_genres_by_all_ignoring_case(table):
    run(table({}, {"title": "B", "album": "HOMOGENIC", "genre": "art POP"}, {"title": "C", "artist": "Another"}))
    assert sorted(Album.objects.values_list("title", "artist__name")) == [
        ("Homogenic", "Another"),
        ("Homogenic", "Björk"),
    ]
    assert Genre.objects.get().title == "Art pop"


def test_existing_genres_and_albums_are_reused(table, genre):
    run(table({"genre": "JAZZ"}))
    run(table({"title": "Later", "genre": "jazz"}))
    assert list(Genre.objects.all()) == [genre]
    assert Album.objects.get().songs.count() == 2


def test_a_claimed_account_gets_no_more_imported_songs(table, make_user):
    make_user("bjork", role="artist", name="Björk")
    run(table({}))
    imported = Song.objects.get().artist
    assert imported.email is None
    imported.email = "bjork.herself@example.com"
    imported.save()
    out, _ = run(table({}, {"title": "New"}))
    assert out.startswith("1 songs imported, 1 were there already")
    assert Song.objects.get(title="New").artist not in (imported, User.objects.get(username="bjork"))


def test_a_listener_with_the_artists_name_gets_no_imported_songs(table, make_user):
    make_user("bjork", name="Björk")
    run(table({}))
    assert Song.objects.get().artist.role == "artist"
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1997", date(1997, 1, 1)),
        ("1997-09", date(1997, 9, 1)),
        ("1997-09-15", date(1997, 9, 15)),
        (" 1997-09-15 ", date(1997, 9, 15)),
        ("", None),
    ],
)
def test_incomplete_dates_are_completed_to_the_first_day(table, written, read):
    run(table({"release_date": written}))
    assert Song.objects.get().release_date == read


def test_optional_columns_may_be_empty(table):
    run(table(dict.fromkeys(COLUMNS[2:], "")))
    song = Song.objects.get()
    assert (song.album, song.genre, song.release_date, song.duration, song.explicit) == (None, None, None, 0, False)
    assert song.counts.play_count == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("title", value) for value in ("", "  ", "x" * 201, "a\0b", "x" * 200_000)),
        ("artist", ""),
        ("album", "x" * 201),
        *(("release_date", value) for value in ("soon", "1997-13", "1997-02-30", "97", "15.9.1997", "1997-09-15T0")),
        *(("duration", value) for value in ("-1", "3:05", "inf", "nan", "1e3", "9999999999")),
        ("explicit", "perhaps"),
        *(("play_count", value) for value in ("-1", "many", "9223372036854775808", "1_000")),
        *(("audio", value) for value in ("missing.mp3", "x" * 300 + ".mp3", ".")),
    ],
)
def test_a_bad_row_is_skipped_and_reported_with_its_line(table, column, value):
    out, err = run(table({"title": "Before"}, {column: value}, {"title": "After"}))
    assert titles() == {"Before", "After"}
    assert out.strip() == "2 songs imported, 0 were there already, 1 rows skipped."
    assert err.startswith("line 3: ")
    assert column in err
    assert len(err.splitlines()) == 1


def test_reported_line_numbers_count_lines_within_quoted_fields(tmp_path, db):
    path = tmp_path / "songs.csv"
    good = 'Jóga,"Björk","Two\nlines",,,,,,\n'
    path.write_text(",".join(COLUMNS) + "\n" + good + "\n" + ",Nobody,,,,,,,\n" + "too,short\n" + "x," * 12 + "\n")
    _, err = run(path)
    assert [line.partition(":")[0] for line in err.splitlines()] == ["line 5", "line 6", "line 7"]
    assert Song.objects.get().album.title == "Two lines"


def test_bytes_that_are_not_utf_8_make_only_their_row_bad(tmp_path, db):
    path = tmp_path / "songs.csv"
    rows = [b"Before,A,,,,,,,", "Jóga,Björk,,,,,,,".encode("latin-1"), b"After,A,,,,,,,"]
    path.write_bytes("\n".join([",".join(COLUMNS)]).encode() + b"\n" + b"\n".join(rows))
    _, err = run(path)
    assert titles() == {"Before", "After"}
    assert err.startswith("line 3: title is not UTF-8")


def test_strict_imports_nothing_if_any_row_is_bad(table, tmp_path):
    (tmp_path / "noise.mp3").write_bytes(b"no music")
    for bad in ({"duration": "long"}, {"audio": "noise.mp3"}):
        err = io.StringIO()
        with pytest.raises(CommandError, match="Nothing was imported") as ended:
            call_command("import_catalogue", str(table({}, bad)), "--strict", stdout=io.StringIO(), stderr=err)
        assert ended.value.returncode == 1
        assert err.getvalue().startswith("line 3: ")
        assert (Song.objects.count(), Album.objects.count(), User.objects.count()) == (0, 0, 0)
    run(table({}, {"title": "Fine"}), strict=True)
    assert Song.objects.count() == 2


def test_gzip_and_a_byte_order_mark_are_read(table):
    run(table({"title": "Packed"}, name="songs.csv.gz"))
    run(table({"title": "Marked"}, encoding="utf-8-sig"))
    run(table({"title": "Packed without saying so"}, name="a.csv.gz").rename(table({}).with_name("plain.csv")))
    assert titles() == {"Packed", "Marked", "Packed without saying so"}


def test_columns_may_be_in_any_order_and_unknown_ones_are_ignored(table):
    run(table({"more": "x"}, columns=["more", *reversed(COLUMNS), "and more"]))
    assert titles() == {"Jóga"}


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_missing_column_stops_the_import_before_it_begins(table, missing):
    with pytest.raises(CommandError, match=missing):
        run(table({}, columns=[column for column in COLUMNS if column != missing]))
    assert not Song.objects.exists()


def test_an_unreadable_file_is_reported(tmp_path, db, table):
    empty, broken = tmp_path / "empty.csv", tmp_path / "broken.csv.gz"
    empty.write_bytes(b"")
    whole = table({}, name="whole.csv.gz").read_bytes()
    for path in (tmp_path / "missing.csv", tmp_path, empty):
        with pytest.raises(CommandError, match="Nothing was imported"):
            run(path)
    for content in (whole[:-12], whole[:20] + b"\xff\xff\xff" + whole[23:]):
        broken.write_bytes(content)
        with pytest.raises(CommandError, match="Nothing was imported"):
            run(broken)
    assert not Song.objects.exists()


def test_a_row_with_audio_becomes_a_song_that_plays(table, tmp_path, api):
    (tmp_path / "sound").mkdir()
    (tmp_path / "sound" / "joga.bin").write_bytes(audio_sample("flac"))
    (tmp_path / "noise.mp3").write_bytes(b"no music")
    path = table({"audio": "sound/joga.bin"}, {"title": "Noise", "audio": "noise.mp3"}, {"title": "Silent"})
    out, err = run(path)
    assert out.strip() == "2 songs imported, 0 were there already, 1 rows skipped."
    assert err.startswith("line 3: ")
    song = Song.objects.get(title="Jóga")
    # The length is measured, not taken from the row; other values in the row win over the tags.
    assert (song.duration, song.audio_format, song.album.title, song.counts.play_count) == (
        2,
        "flac",
        "Homogenic",
        1234,
    )
    assert body_of(api.get(f"/api/songs/{song.pk}/stream")) == audio_sample("flac")
    assert stored_files() == {song.audio_file.name}
    run(path)
    assert stored_files() == {song.audio_file.name}


def test_large_play_counts_are_exact(table):
    run(table({"play_count": "9007199254740993", "duration": "304.6"}))
    assert (SongCounts.objects.get().play_count, Song.objects.get().duration) == (9007199254740993, 305)


def test_more_rows_than_a_chunk_are_imported(table):
    rows = [{"title": f"Song {number}", "artist": f"Artist {number % 7}", "album": ""} for number in range(1205)]
    out, _ = run(table(*rows))
    assert out.startswith("1205 songs imported")
    assert (Song.objects.count(), User.objects.count(), SongCounts.objects.count()) == (1205, 7, 1205)
    assert run(table(*rows))[0].startswith("0 songs imported, 1205")


def test_only_the_first_hundred_problems_are_shown(table):
    _, err = run(table(*({"title": ""} for _ in range(103))))
    assert err.splitlines()[-1] == "… and 3 more"


def test_an_import_shows_its_progress(table, capfd):
    run(table({}))
    assert "Importing" in capfd.readouterr().err


def test_a_bad_audio_file_does_not_stop_the_import(table, tmp_path):
    (tmp_path / "tone.wav").write_bytes(tone("wav"))
    run(table({"audio": str(tmp_path / "tone.wav")}))
    assert Song.objects.get().audio_format == "wav"
