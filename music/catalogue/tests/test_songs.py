import json

import pytest
from django.core.files.base import ContentFile

from music.catalogue.publication import Recording, update_song
from music.models import Album, Genre, Song, SongCounts
from music.tests.samples import audio_sample, tone
from music.tests.uploads import code_of, give_audio, stored_files, upload

FIELDS = [
    *("id", "title", "artist", "album", "genre", "track_number", "disc_number", "duration"),
    *("release_date", "explicit"),
    *("visibility", "licensing_info", "audio_file", "play_count", "like_count", "is_liked", "is_favorite"),
    *("created_at", "updated_at"),
]


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def path(song):
    return f"/api/songs/{song.pk}"


def recording_of(content: bytes) -> Recording:
    return Recording.inspected(ContentFile(content, name="song.mp3"))


def test_a_stranger_cannot_see_a_private_song(api_as, listener, private_song):
    assert api_as(listener).get(f"/api/songs/{private_song.pk}").status_code == 404


def test_the_artist_sees_the_private_song(api_as, artist, private_song):
    assert api_as(artist).get(f"/api/songs/{private_song.pk}").json()["visibility"] == "private"


def test_a_song_shows_the_documented_fields(api, make_song, album, genre):
    song = make_song(album=album, genre=genre, play_count=5, like_count=2, track_number=1, release_date="2020-02-01")
    shown = api.get(f"/api/songs/{song.pk}").json()
    assert [name for name in FIELDS if name not in shown] == []
    assert shown["artist"].keys() == {"id", "username", "name"}
    assert shown["album"] == {"id": str(album.pk), "title": "An album", "cover_image": None}
    assert shown["genre"] == {"id": str(genre.pk), "title": "Jazz"}
    assert (shown["play_count"], shown["like_count"], shown["audio_file"]) == (5, 2, None)
    assert shown["created_at"].endswith("Z")
    assert api.get("/api/songs").json()["results"][0].keys() >= set(FIELDS)


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_trailing_slash_is_accepted(api, artist_api, path, ending):
    assert api.get(f"/api/songs{ending}").status_code == 200
    assert api.get(path + ending).status_code == 200
    assert artist_api.patch(path + ending, {"title": "Renamed"}).json()["title"] == "Renamed"
    assert upload(artist_api, b"").status_code == artist_api.post(f"/api/songs{ending}", {}).status_code == 400


@pytest.mark.parametrize(
    "id", ["x", "%00", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000٣"]
)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_unknown_or_malformed_id_is_404(artist_api, method, id):
    assert code_of(getattr(artist_api, method)(f"/api/songs/{id}", {"title": "x"}), 404) == ("not_found", None)


def test_patch_changes_only_the_fields_that_are_sent(artist_api, make_song, album, genre):
    song = make_song(genre=genre, track_number=4, explicit=True, licensing_info="CC0")
    changed = artist_api.patch(f"/api/songs/{song.pk}", {"title": "New", "album": str(album.pk)}).json()
    assert (changed["title"], changed["album"]["id"], changed["genre"]["title"]) == ("New", str(album.pk), "Jazz")
    assert (changed["track_number"], changed["explicit"], changed["licensing_info"]) == (4, True, "CC0")


@pytest.mark.parametrize("format", ["json", "multipart"])
def test_put_requires_a_title_and_leaves_omitted_fields_unchanged(artist_api, make_song, album, format):
    song = give_audio(make_song(album=album, track_number=2, visibility="private"))
    path = f"/api/songs/{song.pk}"
    assert code_of(artist_api.put(path, {"explicit": "true"}, format=format)) == ("required", "title")
    changed = artist_api.put(path, {"title": "New"}, format=format).json()
    assert (changed["title"], changed["track_number"], changed["visibility"]) == ("New", 2, "private")
    assert changed["album"]["id"] == str(album.pk)
    assert Song.objects.get().audio_file.name == song.audio_file.name


@pytest.mark.parametrize("body", ["5", "null", "true", "[]", '"title"', '["title"]'])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_body_that_is_not_an_object_is_400(artist_api, path, method, body):
    assert artist_api.generic(method.upper(), path, body, "application/json").status_code == 400


def test_album_and_genre_can_be_removed(artist_api, make_song, album, genre):
    song = make_song(album=album, genre=genre)
    changed = artist_api.patch(f"/api/songs/{song.pk}", {"album": None, "genre": None}).json()
    assert (changed["album"], changed["genre"]) == (None, None)
    assert Album.objects.count() == Genre.objects.count() == 1


def test_a_new_genre_and_a_new_album_are_created(artist_api, path, artist):
    changed = artist_api.patch(path, {"genre": "Dub", "album_title": "Later"}).json()
    assert (changed["genre"]["title"], changed["album"]["title"]) == ("Dub", "Later")
    assert Album.objects.get().artist == Genre.objects.get().maker == artist


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("title", "", "blank"),
        ("title", "   ", "blank"),
        ("title", None, "null"),
        ("title", "x" * 201, "max_length"),
        ("title", "a\0b", "null_characters_not_allowed"),
        ("title", "\ud800", "surrogate_characters_not_allowed"),
        ("track_number", 0, "min_value"),
        ("track_number", -1, "min_value"),
        ("track_number", 99999, "max_value"),
        ("track_number", 10**40, "max_value"),
        ("track_number", 1.5, "invalid"),
        ("disc_number", 0, "min_value"),
        ("disc_number", 99999, "max_value"),
        ("release_date", "nonsense", "invalid"),
        ("release_date", "2020-02-30", "invalid"),
        ("release_date", "2020", "invalid"),
        ("visibility", "friends", "invalid_choice"),
        ("visibility", None, "null"),
        ("explicit", "perhaps", "invalid"),
        ("licensing_info", "x" * 3000, "max_length"),
        ("album", "00000000-0000-0000-0000-000000000000", "does_not_exist"),
        ("album", "x", "invalid"),
        ("album", [], "invalid"),
        ("album", {"id": 1}, "invalid"),
        ("album", 10**60, "invalid"),
        ("album", True, "incorrect_type"),
        ("genre", ["Jazz"], "invalid"),
        ("audio_file", "a.mp3", "invalid"),
        ("audio_file", None, "null"),
    ],
)
def test_an_error_names_the_field_with_the_invalid_value(artist_api, path, song, field, value, code):
    answer = artist_api.generic("PATCH", path, json.dumps({field: value}), "application/json")
    assert code_of(answer) == (code, field)
    assert Song.objects.get().updated_at == song.updated_at


def test_an_album_of_another_artist_is_reported_like_an_unknown_one(artist_api, path, other_artist):
    theirs = Album.objects.create(title="Theirs", artist=other_artist)
    assert code_of(artist_api.patch(path, {"album": str(theirs.pk)})) == ("does_not_exist", "album")


def test_read_only_and_unknown_fields_change_nothing(artist_api, path, other_artist):
    sent = {"id": 1, "artist": str(other_artist.pk), "duration": 9, "play_count": 9, "is_hidden": True, "nonsense": []}
    assert artist_api.patch(path, sent).status_code == 200
    song = Song.objects.get()
    assert (song.artist.username, song.duration, song.counts.play_count, song.is_hidden) == ("artist", 0, 0, False)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_owner_may_change_or_delete(api, api_as, path, listener, other_artist, method):
    for caller in (listener, other_artist):
        assert code_of(getattr(api_as(caller), method)(path, {"title": "Mine"}), 403) == ("permission_denied", None)
    answer = getattr(api, method)(path, {"title": "Mine"})
    assert code_of(answer, 401) == ("not_authenticated", None)
    assert "Token" in answer["WWW-Authenticate"]
    assert Song.objects.get().title == "A song"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_changing_another_artists_private_song_is_404(api_as, other_artist, private_song, method):
    answer = getattr(api_as(other_artist), method)(f"/api/songs/{private_song.pk}", {"title": "Mine"})
    assert code_of(answer, 404) == ("not_found", None)


def test_new_audio_replaces_the_old(artist_api, artist):
    old = upload(artist_api).json()
    old_key = Song.objects.get().audio_file.name
    file = ContentFile(tone("wav", 3), name="longer.wav")
    new = artist_api.patch(f"/api/songs/{old['id']}", {"audio_file": file}, format="multipart").json()
    song = Song.objects.get()
    assert (new["duration"], new["title"], song.audio_format) == (3, "Low Tide", "wav")
    assert stored_files() == {song.audio_file.name}
    assert song.audio_file.name != old_key


def test_invalid_new_audio_leaves_the_old(artist_api, song):
    give_audio(song)
    file = ContentFile(b"no music", name="x.mp3")
    answer = artist_api.patch(f"/api/songs/{song.pk}", {"audio_file": file, "title": "New"}, format="multipart")
    assert code_of(answer) == ("invalid_audio", "audio_file")
    assert Song.objects.get().title == "A song"
    assert stored_files() == {song.audio_file.name}


def test_concurrent_changes_of_a_song_are_both_saved(song):
    give_audio(song)
    seen_by_one, seen_by_another = Song.objects.get(), Song.objects.get()
    update_song(seen_by_one, recording=recording_of(tone("wav")), title="With new audio")
    update_song(seen_by_another, explicit=True)
    song = Song.objects.get()
    assert (song.title, song.audio_format, song.explicit) == ("With new audio", "wav", True)
    assert stored_files() == {song.audio_file.name}


def test_two_concurrent_new_recordings_leave_one_file(song):
    give_audio(song)
    seen_by_one, seen_by_another = Song.objects.get(), Song.objects.get()
    update_song(seen_by_one, recording=recording_of(tone("wav")))
    update_song(seen_by_another, recording=recording_of(tone("flac")))
    assert stored_files() == {Song.objects.get().audio_file.name}


def test_changing_a_song_deleted_meanwhile_does_not_recreate_it(song):
    seen_before = Song.objects.get()
    song.delete()
    with pytest.raises(Song.DoesNotExist):
        update_song(seen_before, title="Back")
    with pytest.raises(Song.DoesNotExist):
        update_song(seen_before, recording=recording_of(audio_sample("mp3")))
    assert not Song.objects.exists()
    assert stored_files() == set()


def test_deleting_a_song_deletes_its_file_but_not_its_album(artist_api, make_song, album):
    song = give_audio(make_song(album=album))
    answer = artist_api.delete(f"/api/songs/{song.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Song.objects.exists()
    assert not SongCounts.objects.exists()
    assert stored_files() == set()
    assert Album.objects.get() == album
    assert artist_api.delete(f"/api/songs/{song.pk}").status_code == 404


def test_unsupported_methods_and_media_types_are_refused(artist_api, path):
    assert code_of(artist_api.delete("/api/songs"), 405) == ("method_not_allowed", None)
    answer = artist_api.generic("PATCH", path, "title=x", "text/plain")
    assert code_of(answer, 415) == ("unsupported_media_type", None)
    assert artist_api.options(path).status_code == 200
    assert artist_api.get(path, HTTP_ACCEPT="text/html").status_code == 200
