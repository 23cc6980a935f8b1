import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Album, Genre, Song
from music.tests.uploading import body_of, give_audio


@pytest.fixture
def admin_pages(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


def rows_of(answer) -> int:
    return len(answer.context["cl"].result_list)


def action(client, songs, name: str):
    return client.post(
        "/admin/music/song/", {"action": name, "_selected_action": [str(song.pk) for song in songs]}, follow=True
    )


@pytest.mark.parametrize("model", ["song", "album", "genre"])
def test_a_list_takes_as_many_queries_for_20_rows_as_for_one(admin_pages, make_song, make_user, model):
    def add(number):
        artist = make_user(f"a{number}", role="artist")
        album = Album.objects.create(title=f"Album {number}", artist=artist, cover_image=f"covers/{number}.jpg")
        genre = Genre.objects.create(title=f"Genre {number}", maker=artist)
        make_song(f"Song {number}", artist=artist, album=album, genre=genre)

    def queries(rows):
        with CaptureQueriesContext(connection) as captured:
            assert rows_of(admin_pages.get(f"/admin/music/{model}/")) == rows
        return len(captured)

    add(0)
    with_one = queries(1)
    for number in range(1, 20):
        add(number)
    assert queries(20) == with_one


def test_hiding_takes_songs_from_everybody_but_their_artist(admin_pages, api, api_as, artist, make_song):
    songs = [make_song("One"), make_song("Two")]
    make_song("Three")
    assert "Hidden: 2." in action(admin_pages, songs, "hide").content.decode()
    assert [row["title"] for row in api.get("/api/songs").json()["results"]] == ["Three"]
    assert len(api_as(artist).get("/api/songs").json()["results"]) == 3
    assert "Shown again: 2." in action(admin_pages, songs, "show").content.decode()
    assert len(api.get("/api/songs").json()["results"]) == 3


@pytest.mark.parametrize(
    ("model", "words", "found"),
    [
        ("song", "night", 1),
        ("song", "Nächtlich", 1),
        ("song", "artist", 2),
        ("song", "an album", 1),
        ("song", "nothing", 0),
        ("album", "an alb", 1),
        ("album", "the artist", 1),
        ("genre", "jaz", 1),
    ],
)
def test_the_lists_can_be_searched(admin_pages, make_song, album, genre, model, words, found):
    make_song("Night", album=album, genre=genre)
    make_song("Nächtlich")
    assert rows_of(admin_pages.get(f"/admin/music/{model}/", {"q": words})) == found


@pytest.mark.parametrize(
    ("field", "term", "found"), [("album", "alb", "An album"), ("genre", "ja", "Jazz"), ("artist", "art", "The Artist")]
)
def test_related_rows_are_offered_as_one_types(admin_pages, album, genre, field, term, found):
    source = {"app_label": "music", "model_name": "song", "field_name": field, "term": term}
    offered = admin_pages.get("/admin/autocomplete/", source).json()["results"]
    assert [row["text"] for row in offered] == [found]


@pytest.mark.parametrize("state", [{}, {"visibility": "private"}, {"is_hidden": True}])
def test_an_admin_can_listen_to_any_song(admin_pages, api, make_song, state):
    song = give_audio(make_song(**state))
    page = admin_pages.get(f"/admin/music/song/{song.pk}/change/").content.decode()
    source = re.search(r'<audio[^>]* src="([^"]+)"', page)[1]
    assert body_of(api.get(source)) == b"0123456789"


def test_a_song_without_audio_has_no_player(admin_pages, song):
    page = admin_pages.get(f"/admin/music/song/{song.pk}/change/").content.decode()
    assert "<audio" not in page
    assert "This song has no audio." in page


def test_a_song_can_be_changed_but_not_added_here(admin_pages, song, genre):
    assert admin_pages.get("/admin/music/song/add/").status_code == 403
    sent = {"title": "Renamed", "artist": str(song.artist_id), "genre": str(genre.pk), "visibility": "private"}
    answer = admin_pages.post(f"/admin/music/song/{song.pk}/change/", sent)
    assert answer.status_code == 302, answer.context["errors"]
    song = Song.objects.get()
    assert (song.title, song.title_folded, song.genre, song.visibility) == ("Renamed", "renamed", genre, "private")


@pytest.mark.parametrize("model", ["song", "album", "genre"])
def test_the_pages_open_and_text_is_only_text(admin_pages, make_song, artist, model):
    script = "<script>alert(1)</script>"
    album = Album.objects.create(title=script, artist=artist)
    genre = Genre.objects.create(title=script)
    row = {"song": make_song(script, album=album, genre=genre), "album": album, "genre": genre}[model]
    for path in ("", f"{row.pk}/change/", f"{row.pk}/delete/", f"{row.pk}/history/"):
        answer = admin_pages.get(f"/admin/music/{model}/{path}")
        assert answer.status_code == 200
        assert script not in answer.content.decode()


def test_deleting_here_takes_the_files_too(admin_pages, make_song, tmp_path):
    song = give_audio(make_song())
    stored = song.audio_file.storage
    action(admin_pages, [song], "delete_selected")
    sent = {"action": "delete_selected", "_selected_action": [str(song.pk)], "post": "yes"}
    admin_pages.post("/admin/music/song/", sent)
    assert not Song.objects.exists()
    assert not stored.exists(song.audio_file.name)


def test_listeners_do_not_come_in(client, listener, song):
    client.force_login(listener)
    assert client.get("/admin/music/song/").status_code == 302
