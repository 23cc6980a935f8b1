"""Song.payload and the totals follow every change of the rows they are made of, however the change is made."""

import pytest
from django.core.management import call_command

from music.catalogue.api.song_serializers import SongDetailSerializer, SongSerializer
from music.models import Album, ArtistCounts, Genre, Song
from music.tests.uploads import give_audio
from users.models import User


@pytest.fixture
def song(make_song, album, genre):
    return give_audio(make_song("Low Tide", album=album, genre=genre, release_date="2020-02-29", track_number=3))


def shown(api, song):
    """Return the song as the list shows it, after checking that the detail shows the same."""
    [row] = api.get("/api/songs").json()["results"]
    detail = api.get(f"/api/songs/{song.pk}").json()
    assert {name: detail[name] for name in row} == row
    return row


def test_a_song_has_exactly_the_documented_fields(api, song):
    row = shown(api, song)
    assert set(row) == set(SongSerializer.Meta.fields)
    assert set(api.get(f"/api/songs/{song.pk}").json()) == set(SongDetailSerializer.Meta.fields)
    song.refresh_from_db()
    assert row == {
        "id": str(song.pk),
        "title": "Low Tide",
        "artist": {"id": str(song.artist_id), "username": "artist", "name": "The Artist"},
        "album": {"id": str(song.album_id), "title": "An album", "cover_image": None},
        "genre": {"id": str(song.genre_id), "title": "Jazz"},
        "track_number": 3,
        "disc_number": None,
        "duration": song.duration,
        "release_date": "2020-02-29",
        "explicit": False,
        "visibility": "public",
        "licensing_info": "",
        "audio_file": f"http://testserver/api/songs/{song.pk}/stream",
        "play_count": 0,
        "like_count": 0,
        "is_liked": False,
        "is_favorite": False,
        "created_at": song.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "updated_at": song.updated_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def test_missing_values_are_null(api, make_song):
    row = shown(api, make_song())
    assert [name for name in row if row[name] is None] == [
        *("album", "genre", "track_number", "disc_number", "release_date", "audio_file")
    ]


@pytest.mark.parametrize("text", ['"', "\\", "\n\t\x1b", "é ガ 한 🎵", "</script>", "\u2028", "%s %d {}", "it's"])
def test_any_text_is_unchanged_in_the_payload(api, make_song, artist, text):
    artist.name = f"Name {text}"
    artist.save()
    row = shown(api, make_song(f"Title {text}", licensing_info=text))
    assert (row["title"], row["licensing_info"], row["artist"]["name"]) == (f"Title {text}", text, f"Name {text}")


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "updated"])
@pytest.mark.parametrize(
    ("model", "change", "path"),
    [
        (Song, {"title": "High Tide"}, ["title"]),
        (Song, {"explicit": True}, ["explicit"]),
        (Song, {"licensing_info": "CC BY"}, ["licensing_info"]),
        (Song, {"duration": 61}, ["duration"]),
        (Album, {"title": "Another"}, ["album", "title"]),
        (Genre, {"title": "Waltz", "title_key": "waltz"}, ["genre", "title"]),
        (User, {"name": "Nina"}, ["artist", "name"]),
        (User, {"username": "nina"}, ["artist", "username"]),
    ],
)
def test_a_change_shows_at_once(api, song, model, change, path, saved):
    thing = {Song: song, Album: song.album, Genre: song.genre, User: song.artist}[model]
    if saved:
        for name, value in change.items():
            setattr(thing, name, value)
        thing.save()
    else:
        model.objects.filter(pk=thing.pk).update(**change)
    row = shown(api, song)
    for name in path:
        row = row[name]
    assert row == next(iter(change.values()))


def test_a_new_cover_shows_at_once(api, song):
    Album.objects.update(cover_image="covers/1.jpg")
    assert shown(api, song)["album"]["cover_image"] == "http://testserver/media/covers/1.jpg"


def test_a_username_that_is_an_email_address_is_shown_without_its_domain(api, song):
    User.objects.update(username="nina@example.com")
    assert shown(api, song)["artist"]["username"] == "nina"


@pytest.mark.parametrize("gone", [Album, Genre])
def test_deleting_album_or_genre_makes_the_songs_field_null(api, song, gone):
    gone.objects.get().delete()
    assert shown(api, song)[gone._meta.model_name] is None


@pytest.mark.parametrize(
    ("model", "change"), [(Song, {"visibility": "private"}), (Song, {"is_hidden": True}), (User, {"is_active": False})]
)
def test_hidden_songs_disappear_at_once_and_come_back(api, song, model, change):
    before = {name: getattr(model.objects.get(), name) for name in change}
    for now, seen in ((change, 404), (before, 200)):
        model.objects.update(**now)
        assert api.get(f"/api/songs/{song.pk}").status_code == seen
        assert len(api.get("/api/songs").json()["results"]) == (seen == 200)


def test_songs_created_in_bulk_have_a_payload(api, artist):
    from music.models import SongCounts

    songs = Song.objects.bulk_create(Song(title=f"Song {n}", artist=artist) for n in range(3))
    SongCounts.objects.bulk_create(SongCounts(song=song) for song in songs)
    titles = {row["title"] for row in api.get("/api/songs").json()["results"]}
    assert titles == {"Song 0", "Song 1", "Song 2"}


def totals(api, album, artist):
    shown = api.get(f"/api/albums/{album.pk}").json()
    of_artist = api.get(f"/api/artists/{artist.pk}").json()
    return shown.get("song_count"), shown.get("duration"), of_artist["song_count"], of_artist["album_count"]


def test_totals_follow_every_change_of_the_songs(api, artist, album, make_song, other_artist):
    assert totals(api, album, artist) == (0, 0, 0, 1)
    one, two = make_song("One", album=album, duration=60), make_song("Two", album=album, duration=5)
    assert totals(api, album, artist) == (2, 65, 2, 1)
    Song.objects.filter(pk=one.pk).update(duration=100)
    assert totals(api, album, artist) == (2, 105, 2, 1)
    Song.objects.filter(pk=one.pk).update(visibility="private")
    assert totals(api, album, artist) == (1, 5, 1, 1)
    two.is_hidden = True
    two.save()
    assert totals(api, album, artist) == (None, None, 0, 0)
    User.objects.filter(pk=artist.pk).update(is_active=False)
    User.objects.filter(pk=artist.pk).update(is_active=True)
    Song.objects.update(visibility="public", is_hidden=False, album=None)
    assert totals(api, album, artist) == (0, 0, 2, 1)
    Song.objects.all().delete()
    album.delete()
    assert api.get(f"/api/artists/{artist.pk}").json()["album_count"] == 0


def test_new_artist_counts_include_existing_songs_and_albums(api, artist, album, make_song):
    make_song(album=album)
    ArtistCounts.objects.all().delete()
    ArtistCounts.objects.create(artist=artist)
    assert totals(api, album, artist)[2:] == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_triggers_exist_after_each_migrate(api, artist, make_song):
    song = make_song()
    call_command("migrate", verbosity=0)
    User.objects.update(name="Renamed")
    assert shown(api, song)["artist"]["name"] == "Renamed"
