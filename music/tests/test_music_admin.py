import csv
import io
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Album, Genre, Song
from music.tests.uploads import body_of, give_audio


@pytest.fixture
def admin_pages(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


def rows_of(answer) -> int:
    return len(answer.context["cl"].result_list)


def action(client, songs, name: str, **fields):
    """Choose an action for the songs in the list; with fields, also confirm it on the page that asks for them."""
    chosen = {"action": name, "_selected_action": [str(song.pk) for song in songs]}
    confirmed = {**fields, "confirm": "yes"} if fields else {}
    return client.post("/admin/music/song/", {**chosen, **confirmed}, follow=True)


def history(client, song) -> str:
    return client.get(f"/admin/music/song/{song.pk}/history/").content.decode()


@pytest.mark.parametrize("model", ["song", "album", "genre"])
def test_a_list_of_20_rows_takes_as_many_queries_as_a_list_of_1(admin_pages, make_song, make_user, model):
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


def test_hidden_songs_are_visible_only_to_their_artist(admin_pages, api, api_as, artist, make_song):
    songs = [make_song("One"), make_song("Two")]
    make_song("Three")
    assert "Hidden: 2." in action(admin_pages, songs, "hide", reason="Stolen <b>beats</b>").content.decode()
    assert [row["title"] for row in api.get("/api/songs").json()["results"]] == ["Three"]
    assert len(api_as(artist).get("/api/songs").json()["results"]) == 3
    assert "Shown again: 2." in action(admin_pages, songs, "show").content.decode()
    assert len(api.get("/api/songs").json()["results"]) == 3
    for song in songs:
        log = history(admin_pages, song)
        assert "Hidden from everyone but the artist. Reason: Stolen &lt;b&gt;beats&lt;/b&gt;" in log
        assert "Shown again." in log
    assert LogEntry.objects.count() == 4


@pytest.mark.parametrize("fields", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "\x00"}, {"reason": "x" * 501}])
def test_nothing_is_hidden_without_a_reason(admin_pages, song, fields):
    page = action(admin_pages, [song], "hide", **fields)
    assert page.status_code == 200
    assert ("reason" in page.context["form"].errors) == bool(fields)
    assert not Song.objects.get().is_hidden
    assert not LogEntry.objects.exists()


def test_the_form_for_the_reason_works_without_javascript(admin_pages, song):
    page = action(admin_pages, [song], "hide").content.decode()
    form = page[page.index('<form method="post"') :]
    for name, value in [("_selected_action", song.pk), ("action", "hide"), ("confirm", "yes")]:
        assert f'name="{name}" value="{value}"' in form
    assert "<script>" not in page
    assert "onclick" not in page


def test_hiding_a_hidden_song_is_not_logged(admin_pages, make_song):
    songs = [make_song(is_hidden=True), make_song()]
    assert "Hidden: 1." in action(admin_pages, songs, "hide", reason="Stolen").content.decode()
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(songs[1].pk)]


def test_hiding_in_the_song_form_needs_a_reason(admin_pages, song):
    path = f"/admin/music/song/{song.pk}/change/"
    sent = {"title": "A song", "artist": str(song.artist_id), "visibility": "public", "is_hidden": "on"}
    assert set(admin_pages.post(path, sent).context["adminform"].form.errors) == {"reason"}
    assert admin_pages.post(path, {**sent, "reason": "Stolen"}).status_code == 302
    assert Song.objects.get().is_hidden
    assert "Reason: Stolen" in history(admin_pages, song)
    assert "Changed Hidden. Reason" in LogEntry.objects.get().get_change_message()


def test_staff_with_view_permission_cannot_hide_or_edit_songs(client, make_user, song):
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_song"))
    client.force_login(viewer)
    for name in ("hide", "show", "edit"):
        action(client, [song], name, reason="Stolen", visibility="private")
    assert (Song.objects.get().is_hidden, Song.objects.get().visibility) == (False, "public")


def test_actions_on_too_many_songs_are_refused(admin_pages, artist, make_song, monkeypatch):
    monkeypatch.setattr("core.admin.pages.MAX_SELECTED", 2)
    songs = [make_song(f"Song {number}") for number in range(3)]
    for name in ("hide", "show", "edit", "delete_selected"):
        assert "Select at most 2 at once." in action(admin_pages, songs, name).content.decode()
    sent = {"action": "hide", "select_across": "1", "confirm": "yes", "reason": "All", "_selected_action": songs[0].pk}
    admin_pages.post("/admin/music/song/", sent)
    assert not Song.objects.filter(is_hidden=True).exists()


def test_several_songs_can_be_edited_together(admin_pages, api, make_song, genre):
    songs = [make_song("One"), make_song("Two"), make_song("Three")]
    answer = action(admin_pages, songs[:2], "edit", genre=" jAZZ ", explicit="yes", visibility="", reason="")
    assert "Changed: 2 (genre: Jazz, explicit: yes)." in answer.content.decode()
    assert Song.objects.filter(genre=genre, explicit=True, visibility="public").count() == 2
    assert len(api.get("/api/songs/search", {"q": "one jazz"}).json()["songs"]) == 1
    assert "Changed together with others: genre: Jazz, explicit: yes." in history(admin_pages, songs[0])
    assert action(admin_pages, songs, "edit", explicit="no").status_code == 200
    assert not Song.objects.filter(explicit=True).exists()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"genre": "No such"}, "genre"),
        ({"genre": "x" * 201}, "genre"),
        ({"genre": "\x00"}, "genre"),
        ({"explicit": "perhaps"}, "explicit"),
        ({"visibility": "everywhere"}, "visibility"),
        ({"visibility": "private"}, "reason"),
        ({"genre": ""}, "__all__"),
    ],
)
def test_an_invalid_edit_is_refused_with_an_error_at_its_field(admin_pages, song, fields, named):
    page = action(admin_pages, [song], "edit", **fields)
    assert set(page.context["form"].errors) == {named}
    assert not LogEntry.objects.exists()


def test_owner_and_reason_of_a_deleted_song_are_logged(admin_pages, song):
    sent = {"action": "delete_selected", "_selected_action": [str(song.pk)], "post": "yes", "reason": "Stolen"}
    assert 'name="reason"' in action(admin_pages, [song], "delete_selected").content.decode()
    admin_pages.post("/admin/music/song/", sent)
    log = admin_pages.get("/admin/admin/logentry/").content.decode()
    assert f"It belonged to The Artist ({song.artist_id}). Reason: Stolen" in log


def test_the_csv_export_escapes_formulas(admin_pages, make_song, make_user):
    for mark in "=+-@\t\r＝":
        make_song(f"{mark}HYPERLINK(1)", artist=make_user(f"a{ord(mark)}", role="artist", name="=1+1"))
    make_song('Ünal, "the" second')
    answer = admin_pages.get("/admin/music/song/export/", {"visibility__exact": "public"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 8
    assert {row["title"][0] for row in rows} == {"'", "Ü"}
    assert {row["artist"] for row in rows} == {"'=1+1", "The Artist"}
    assert rows[0]["title"] == 'Ünal, "the" second'
    assert (rows[0]["plays"], rows[0]["visibility"]) == ("0", "public")


def test_selected_songs_can_be_exported_as_csv(admin_pages, make_song):
    songs = [make_song("One"), make_song("Two"), make_song("Three")]
    text = b"".join(action(admin_pages, songs[:2], "export").streaming_content).decode()
    assert ("One" in text, "Two" in text, "Three" in text) == (True, True, False)


def test_long_lists_are_counted_up_to_a_limit(admin_pages, make_song, monkeypatch):
    monkeypatch.setattr("core.admin.pages.BoundedPaginator.LIMIT", 3)
    for number in range(5):
        make_song(f"Song {number}")
    assert "more than 3 songs" in admin_pages.get("/admin/music/song/").content.decode()


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
        ("song", "nihgt", 1),
        ("song", "nachtlich", 1),
        ("song", "\U0001f600", 0),
        ("album", "an albun", 1),
        ("album", "artsit", 1),
        ("song", "00000000-0000-4000-8000-000000000000", 0),
    ],
)
def test_the_lists_can_be_searched(admin_pages, make_song, album, genre, model, words, found):
    make_song("Night", album=album, genre=genre)
    make_song("Nächtlich")
    assert rows_of(admin_pages.get(f"/admin/music/{model}/", {"q": words})) == found


@pytest.mark.parametrize(
    ("field", "term", "found"), [("album", "alb", "An album"), ("genre", "ja", "Jazz"), ("artist", "art", "The Artist")]
)
def test_related_rows_are_autocompleted(admin_pages, album, genre, field, term, found):
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


def test_the_admin_can_change_songs_but_not_add_them(admin_pages, song, genre):
    assert admin_pages.get("/admin/music/song/add/").status_code == 403
    sent = {"title": "Renamed", "artist": str(song.artist_id), "genre": str(genre.pk), "visibility": "private"}
    answer = admin_pages.post(f"/admin/music/song/{song.pk}/change/", sent)
    assert answer.status_code == 302, answer.context["errors"]
    song = Song.objects.get()
    assert (song.title, song.title_folded, song.genre, song.visibility) == ("Renamed", "renamed", genre, "private")


@pytest.mark.parametrize("model", ["song", "album", "genre"])
def test_pages_escape_html_in_titles(admin_pages, make_song, artist, model):
    script = "<script>alert(1)</script>"
    album = Album.objects.create(title=script, artist=artist)
    genre = Genre.objects.create(title=script)
    row = {"song": make_song(script, album=album, genre=genre), "album": album, "genre": genre}[model]
    for path in ("", f"{row.pk}/change/", f"{row.pk}/delete/", f"{row.pk}/history/"):
        answer = admin_pages.get(f"/admin/music/{model}/{path}")
        assert answer.status_code == 200
        assert script not in answer.content.decode()


def test_deleting_a_song_in_the_admin_deletes_its_files(admin_pages, make_song, tmp_path):
    song = give_audio(make_song())
    stored = song.audio_file.storage
    action(admin_pages, [song], "delete_selected")
    sent = {"action": "delete_selected", "_selected_action": [str(song.pk)], "post": "yes"}
    admin_pages.post("/admin/music/song/", sent)
    assert not Song.objects.exists()
    assert not stored.exists(song.audio_file.name)


def test_listeners_have_no_access_to_the_admin(client, listener, song):
    client.force_login(listener)
    assert client.get("/admin/music/song/").status_code == 302
