import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from conftest import PASSWORD
from music.models import Album, ArtistCounts, ArtistFollow, Genre, Song, SongCounts, SongLike
from users.models import AuthToken, User, UserProfile

pytestmark = pytest.mark.django_db


@pytest.fixture
def close_account(api_as, django_capture_on_commit_callbacks):
    """Return a function that deletes an account, runs what follows after commit, and returns the response."""

    def close(user, **body):
        with django_capture_on_commit_callbacks(execute=True):
            return api_as(user).delete("/api/profile", {"password": PASSWORD, **body})

    return close


@pytest.fixture
def works(artist):
    """Create a song on an album of the artist and a profile picture, each with a file."""
    artist.profile.profile_picture.save("me.jpg", ContentFile(b"a picture"))
    album = Album.objects.create(title="An album", artist=artist)
    album.cover_image.save("cover.jpg", ContentFile(b"a cover"))
    song = Song.objects.create(title="A song", artist=artist, album=album)
    song.audio_file.save("song.mp3", ContentFile(b"some audio"))
    SongCounts.objects.create(song=song)
    return [artist.profile.profile_picture.name, album.cover_image.name, song.audio_file.name]


def test_deleting_an_account_deletes_its_profile_and_tokens(close_account, listener):
    assert close_account(listener).status_code == 204

    assert not User.objects.exists()
    assert not UserProfile.objects.exists()
    assert not AuthToken.objects.exists()


def test_after_deletion_the_token_is_invalid_and_the_address_is_free(api, api_as, listener):
    phone = api_as(listener)
    pair = {"email": "listener@example.com", "password": PASSWORD}
    assert phone.delete("/api/profile/", {"password": PASSWORD}).status_code == 204

    assert phone.get("/api/profile").status_code == 401
    assert api.post("/api/login", pair).status_code == 401
    assert api.post("/api/users", pair).status_code == 201


def test_an_account_can_be_deleted_by_a_form(api_as, listener):
    assert api_as(listener).delete("/api/profile", {"password": PASSWORD}, format="multipart").status_code == 204


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"password": ""}, "blank"),
        ({"password": None}, "null"),
        ({"password": "wrong"}, "invalid_password"),
        ({"password": f"{PASSWORD} "}, "invalid_password"),
    ],
)
def test_deletion_needs_the_right_password(api_as, listener, body, code):
    answer = api_as(listener).delete("/api/profile", body)

    assert answer.status_code == 400
    assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("password", code)]
    assert User.objects.get().profile


def test_deleting_an_artist_deletes_works_and_files(close_account, artist, works):
    assert all(default_storage.exists(name) for name in works)

    assert close_account(artist).status_code == 204

    assert not Song.objects.exists()
    assert not Album.objects.exists()
    assert not any(default_storage.exists(name) for name in works)


def test_a_genre_that_others_use_stays(close_account, artist, other_artist):
    jazz = Genre.objects.create(title="Jazz", maker=artist)
    song = Song.objects.create(title="Theirs", artist=other_artist, genre=jazz)

    close_account(artist)

    song.refresh_from_db()
    assert song.genre == jazz


def test_works_of_others_stay_with_their_files(close_account, artist, listener, works):
    close_account(listener)

    assert Song.objects.get().artist == artist
    assert all(default_storage.exists(name) for name in works)


def test_deletion_takes_back_what_the_user_added_to_counters(api_as, close_account, artist, listener, works):
    song, api = Song.objects.get(), api_as(listener)
    assert api.post(f"/api/songs/{song.pk}/like").status_code == 200
    assert api.post(f"/api/artists/{artist.pk}/follow").status_code == 201

    close_account(listener)

    assert SongCounts.objects.get(song=song).like_count == 0
    assert ArtistCounts.objects.get(artist=artist).follower_count == 0
    assert not SongLike.objects.exists()
    assert not ArtistFollow.objects.exists()


def test_likes_by_others_are_deleted_with_the_song(api_as, close_account, artist, listener, works):
    api_as(listener).post(f"/api/songs/{Song.objects.get().pk}/like")

    close_account(artist)

    assert User.objects.get() == listener
    assert not SongLike.objects.exists()


def test_an_account_can_be_deleted_while_storage_is_down(close_account, artist, works, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "users.tests.test_account_deletion.StorageThatIsAway"},
    }
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

    assert close_account(artist).status_code == 204
    assert not User.objects.exists()


class StorageThatIsAway:
    def delete(self, name):
        raise OSError("The storage is away.")
