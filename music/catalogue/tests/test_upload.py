from datetime import date

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.catalogue.audio import MAX_AUDIO_BYTES, AudioFacts
from music.catalogue.publication import Recording, publish_song
from music.catalogue.tags import AudioTags
from music.models import Album, Genre, Song, SongCounts
from music.tests.samples import AUDIO_FORMATS, audio_sample, image_sample, tone
from music.tests.uploads import code_of, stored_files, upload
from users.models import User


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


def test_an_upload_writes_its_search_entry_once(artist):
    recording = Recording.inspected(ContentFile(tone("mp3"), name="x.mp3"))
    publish_song(artist=artist, recording=recording, album_title="An album", genre="Jazz")
    with CaptureQueriesContext(connection) as queries:
        publish_song(artist=artist, recording=recording, album_title="An album", genre="Jazz")
    writes = [query["sql"] for query in queries if 'INTO "music_searchentry"' in query["sql"]]
    assert len(writes) == 1


def test_omitted_fields_are_taken_from_the_tags(artist_api, artist):
    answer = upload(artist_api, audio_sample("mp3", cover=image_sample()))
    assert answer.status_code == 201
    song = answer.json()
    assert (song["title"], song["album"]["title"], song["genre"]["title"]) == ("Low Tide", "Harbour Songs", "Folk")
    assert (song["track_number"], song["release_date"], song["duration"]) == (3, "2019-05-17", 2)
    assert (song["explicit"], song["visibility"], song["licensing_info"]) == (False, "public", "")
    assert (song["play_count"], song["like_count"], song["is_liked"], song["is_favorite"]) == (0, 0, False, False)
    assert song["artist"] == {"id": str(artist.pk), "username": "artist", "name": "The Artist"}
    assert song["audio_file"] == f"http://testserver/api/songs/{song['id']}/stream"
    cover = song["album"]["cover_image"].removeprefix("http://testserver/media/")
    assert stored_files() == {cover, Song.objects.get().audio_file.name}
    assert artist_api.get(song["album"]["cover_image"])["Content-Type"] == "image/jpeg"


def test_given_fields_win_over_the_tags(artist_api, artist):
    given = {
        "title": "Another title",
        "album_title": "Another album",
        "genre": "Jazz",
        "release_date": "2001-02-03",
        "track_number": 7,
        "disc_number": 2,
        "explicit": "true",
        "visibility": "private",
        "licensing_info": "CC BY 4.0",
    }
    song = upload(artist_api, **given).json()
    assert {name: song[name] for name in given.keys() - {"album_title", "genre", "explicit"}} == {
        name: given[name] for name in given.keys() - {"album_title", "genre", "explicit"}
    }
    assert (song["album"]["title"], song["genre"]["title"], song["explicit"]) == ("Another album", "Jazz", True)
    assert Album.objects.get().artist == Genre.objects.get().maker == artist


def test_uploaded_bytes_are_stored_unchanged_under_a_generated_name(artist_api):
    content = audio_sample("flac")
    upload(artist_api, content, name="../../etc/passwd.php")
    key = Song.objects.get().audio_file.name
    assert key.startswith("audio/")
    assert key.endswith(".flac")
    assert "passwd" not in key
    assert Song.objects.get().audio_file.read() == content


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_formats_are_recognised_by_content_despite_name_and_type(artist_api, format):
    assert upload(artist_api, tone(format), name="notes.txt", type="text/html").status_code == 201
    song = Song.objects.get()
    assert (song.audio_format, song.duration) == (format, 2)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("My Song.mp3", "My Song"),
        ("a.b.mp3", "a.b"),
        ("no ending", "no ending"),
        ("Vol. 2", "Vol. 2"),
        ("Mr. Jones feat. X", "Mr. Jones feat. X"),
        ("Symphony No.5", "Symphony No.5"),
        ("Vol. 2.WAV ", "Vol. 2"),
        ("Beyonce\u0301.m4a", "Beyoncé"),
        ("song\u202egpj.mp3", "songgpj"),
        ("\u200b.mp3", "Untitled"),
        (".mp3", ".mp3"),
        ("..\\..\\windows\\win.ini.mp3", "win.ini"),
        ("歌曲 노래.mp3", "歌曲 노래"),
        ("<img src=x>.mp3", "<img src=x>"),
        ("x" * 240 + ".mp3", "x" * 200),
    ],
)
def test_without_tags_the_title_is_the_file_name(name, title):
    facts = AudioFacts("mp3", seconds=2, bitrate=64, tags=AudioTags())
    assert Recording(ContentFile(b"", name=name), facts).title == title


@time_machine.travel("2030-04-05 12:00:00+00:00")
def test_without_tags_a_song_is_released_today_without_album_and_genre(artist):
    song = publish_song(artist=artist, recording=Recording.inspected(ContentFile(tone("mp3"), name="x.mp3")))
    assert (song.title, song.release_date) == ("x", date(2030, 4, 5))
    assert (song.album, song.genre, song.track_number) == (None, None, None)


def test_a_title_of_spaces_counts_as_missing(artist_api):
    assert upload(artist_api, title="   ").json()["title"] == "Low Tide"


def test_a_year_in_the_tags_becomes_1_january(artist_api):
    assert upload(artist_api, audio_sample("mp3", date="1987")).json()["release_date"] == "1987-01-01"


def test_a_song_can_be_put_on_an_album_by_its_id(artist_api, album):
    assert upload(artist_api, album=str(album.pk)).json()["album"]["id"] == str(album.pk)
    assert Album.objects.count() == 1


def test_an_album_title_matches_ignoring_case(artist_api, album):
    assert upload(artist_api, album_title=" an  ALBUM ").json()["album"]["id"] == str(album.pk)
    assert Album.objects.count() == 1


def test_an_album_of_another_artist_with_the_same_title_is_not_used(artist_api, other_artist):
    theirs = Album.objects.create(title="Harbour Songs", artist=other_artist)
    assert upload(artist_api).json()["album"]["id"] != str(theirs.pk)
    assert not theirs.songs.exists()


def test_a_genre_title_matches_ignoring_case(artist_api, genre):
    assert upload(artist_api, genre=" JAZZ ").json()["genre"] == {"id": str(genre.pk), "title": "Jazz"}
    assert Genre.objects.count() == 1


def test_the_first_cover_stays_and_a_second_is_discarded(artist_api):
    first = upload(artist_api, audio_sample("mp3", cover=image_sample())).json()["album"]["cover_image"]
    second = upload(artist_api, audio_sample("mp3", title="Next", cover=image_sample("PNG"))).json()["album"]
    assert second["cover_image"] == first
    assert len([key for key in stored_files() if key.startswith("covers/")]) == 1


@pytest.mark.parametrize("cover", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", image_sample()[:300]])
def test_a_broken_cover_does_not_fail_the_upload(artist_api, cover):
    song = upload(artist_api, audio_sample("mp3", cover=cover))
    assert song.status_code == 201
    assert song.json()["album"]["cover_image"] is None


def test_read_only_and_unknown_fields_are_ignored(artist_api, artist, other_artist):
    ignored = {"id": "x", "artist": str(other_artist.pk), "duration": 999, "play_count": 5, "is_hidden": True, "zz": 1}
    song = upload(artist_api, **ignored).json()
    assert (song["artist"]["id"], song["duration"], song["play_count"]) == (str(artist.pk), 2, 0)
    assert not Song.objects.get().is_hidden


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"no music at all", "invalid_audio"),
        (bytes(20_000), "invalid_audio"),
        (image_sample("PNG"), "invalid_audio"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "invalid_audio"),
        (tone("flac")[:42], "invalid_audio"),
        (bytes(MAX_AUDIO_BYTES + 1), "file_too_large"),
    ],
)
def test_a_refused_upload_leaves_no_file_and_no_row(artist_api, content, code):
    assert code_of(upload(artist_api, content)) == (code, "audio_file")
    assert (Song.objects.count(), Album.objects.count(), Genre.objects.count()) == (0, 0, 0)
    assert stored_files() == set()


def test_all_invalid_fields_are_reported_at_once_and_nothing_is_stored(artist_api, other_artist):
    theirs = Album.objects.create(title="Theirs", artist=other_artist)
    answer = upload(
        artist_api,
        title="x" * 201,
        album=str(theirs.pk),
        album_title="x" * 201,
        genre="x" * 201,
        release_date="soon",
        track_number=0,
        visibility="friends",
        licensing_info="x" * 2001,
        explicit="perhaps",
    )
    assert answer.status_code == 400
    assert {(error["code"], error["attr"]) for error in answer.json()["errors"]} == {
        ("max_length", "title"),
        ("does_not_exist", "album"),
        ("max_length", "album_title"),
        ("max_length", "genre"),
        ("invalid", "release_date"),
        ("min_value", "track_number"),
        ("invalid_choice", "visibility"),
        ("max_length", "licensing_info"),
        ("invalid", "explicit"),
    }
    assert not Song.objects.exists()
    assert stored_files() == set()


@pytest.mark.parametrize("body", [{"title": "No file"}, {"audio_file": None}, [], None, 5])
def test_an_upload_as_json_is_refused(artist_api, body):
    assert artist_api.post("/api/songs", body).status_code == 400


def test_a_body_over_100_mb_is_refused_without_reading_it(artist_api):
    answer = artist_api.generic("POST", "/api/songs", b"x", CONTENT_LENGTH=str(101 * 2**20))
    assert code_of(answer, 413) == ("too_large", None)


def test_listeners_and_anonymous_callers_cannot_upload(api, api_as, listener):
    assert code_of(upload(api_as(listener)), 403) == ("permission_denied", None)
    answer = upload(api)
    assert code_of(answer, 401) == ("not_authenticated", None)
    assert answer["WWW-Authenticate"].startswith("Token")
    assert stored_files() == set()


def test_an_upload_to_an_account_deleted_meanwhile_leaves_no_file(artist):
    recording = Recording.inspected(ContentFile(audio_sample("mp3", cover=image_sample()), name="song.mp3"))
    User.objects.get(pk=artist.pk).delete_account()
    with pytest.raises(User.DoesNotExist):
        publish_song(artist=artist, recording=recording)
    assert stored_files() == set()


def test_every_song_starts_with_its_counts(artist_api):
    upload(artist_api)
    assert list(SongCounts.objects.values_list("play_count", "like_count", "starting_play_count")) == [(0, 0, 0)]


def test_the_earliest_and_latest_release_dates_are_accepted(artist_api):
    assert upload(artist_api, release_date="0001-01-01").json()["release_date"] == "0001-01-01"
    assert Song.objects.get().release_date == date(1, 1, 1)
