import io
import re

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from music.models import Album, Song
from users.models import User, UserProfile

pytestmark = pytest.mark.django_db

FREE = {"audio_quality": "medium", "offline_mode": False, "ad_free": False, "skip_limit": 6}
NO_SUBSCRIPTION = {
    "plan": "free",
    "status": None,
    "current_period_end": None,
    "cancel_at_period_end": False,
    "trial_end": None,
}


def picture(color="red", name="me.png", **details):
    encoded = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(encoded, "PNG", **details)
    return SimpleUploadedFile(name, encoded.getvalue(), "image/png")


def with_picture(api, file):
    return api.patch("/api/profile", {"profile_picture": file}, format="multipart")


def stored_pictures():
    try:
        return default_storage.listdir("pictures")[1]
    except FileNotFoundError:
        return []


def problems(answer):
    assert answer.status_code == 400
    return [(error["attr"], error["code"]) for error in answer.json()["errors"]]


def test_a_free_listener_sees_all_of_their_profile(api_as, listener):
    assert api_as(listener).get("/api/profile").json() == {
        "user": {
            "id": str(listener.pk),
            "email": "listener@example.com",
            "username": "listener",
            "name": "listener",
            "role": "user",
            "date_joined": listener.date_joined.isoformat().replace("+00:00", "Z"),
        },
        "profile_picture": None,
        "audio_quality": "medium",
        "offline_mode": False,
        "subscription": NO_SUBSCRIPTION,
        "features": FREE,
    }


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_profile_needs_a_token(api, db, method):
    assert getattr(api, method)("/api/profile").status_code == 401


def test_an_unchanged_profile_is_304_without_a_body(api_as, listener):
    api = api_as(listener)
    first = api.get("/api/profile/")

    again = api.get("/api/profile", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept"} <= set(re.split(", *", again["Vary"]))

    api.patch("/api/profile", {"name": "Another"})
    assert api.get("/api/profile", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("format", ["json", "multipart"])
def test_only_the_fields_that_are_sent_change(api_as, artist, method, format):
    change = getattr(api_as(artist), method)

    answer = change("/api/profile", {"username": "nina", "audio_quality": "low"}, format=format)

    assert answer.status_code == 200
    assert answer.json()["audio_quality"] == "low"
    assert answer.json()["user"]["username"] == "nina"
    artist.refresh_from_db()
    assert (artist.username, artist.name, artist.role) == ("nina", "The Artist", "artist")
    assert artist.profile.audio_quality == "low"


def test_an_empty_change_changes_nothing(api_as, listener):
    api = api_as(listener)
    before = api.get("/api/profile").json()

    assert api.put("/api/profile", {}).json() == api.patch("/api/profile", {}).json() == before


def test_unknown_and_read_only_fields_are_ignored(api_as, listener):
    answer = api_as(listener).patch(
        "/api/profile",
        {
            "email": "other@example.com",
            "user": {"email": "other@example.com"},
            "is_staff": True,
            "features": {"ad_free": True},
            "subscription": {"plan": "family"},
            "name": "Nina",
        },
    )

    assert answer.json()["user"]["name"] == "Nina"
    assert answer.json()["features"] == FREE
    listener.refresh_from_db()
    assert listener.email == "listener@example.com"
    assert not listener.is_staff


@pytest.mark.parametrize("name", ["Ніна Сімон", "宇多田 ヒカル", "Sinéad O'Connor", "🎷"])
def test_a_name_may_be_of_any_script(api_as, listener, name):
    assert api_as(listener).patch("/api/profile", {"name": name}).json()["user"]["name"] == name


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": ""}, ("name", "blank")),
        ({"name": "   "}, ("name", "blank")),
        ({"name": None}, ("name", "null")),
        ({"name": "x" * 201}, ("name", "max_length")),
        ({"username": "a b"}, ("username", "invalid")),
        ({"username": "ARTIST"}, ("username", "unique")),
        ({"username": "artist@example.com"}, ("username", "invalid")),
        ({"audio_quality": "best"}, ("audio_quality", "invalid_choice")),
        ({"offline_mode": "perhaps"}, ("offline_mode", "invalid")),
        ({"role": "king"}, ("role", "invalid_choice")),
    ],
)
def test_a_bad_value_is_named_and_changes_nothing(api_as, listener, artist, change, problem):
    answer = api_as(listener).patch("/api/profile", {"audio_quality": "low", **change})

    assert problems(answer) == [problem]
    profile = UserProfile.objects.select_related("user").get(user=listener)
    assert (profile.user.username, profile.user.name, profile.audio_quality) == ("listener", "listener", "medium")


def test_a_user_may_change_the_case_of_their_username(api_as, listener):
    assert api_as(listener).patch("/api/profile", {"username": "LISTENER"}).status_code == 200


@pytest.mark.parametrize("change", [{"audio_quality": "high"}, {"offline_mode": True}])
def test_preferences_beyond_the_plan_are_refused(api_as, listener, change):
    answer = api_as(listener).patch("/api/profile", {"name": "Nina", **change})

    assert answer.status_code == 403
    assert answer.json() == {
        "type": "client_error",
        "errors": [
            {
                "code": "subscription_required",
                "detail": "Your plan does not include this. Subscribe to have it.",
                "attr": None,
            }
        ],
    }
    listener.refresh_from_db()
    assert listener.name == "listener"


def test_a_listener_becomes_an_artist_and_a_listener_again(api_as, listener):
    api = api_as(listener)
    assert api.post("/api/genres", {"title": "Jazz"}).status_code == 403

    assert api.patch("/api/profile", {"role": "artist"}).json()["user"]["role"] == "artist"
    assert api.post("/api/genres", {"title": "Jazz"}).status_code == 201

    assert api.patch("/api/profile", {"role": "user"}).json()["user"]["role"] == "user"
    assert api.post("/api/genres", {"title": "Swing"}).status_code == 403


@pytest.mark.parametrize("work", [Song, Album])
def test_an_artist_with_works_cannot_become_a_listener(api_as, artist, work):
    work.objects.create(title="A work", artist=artist)
    api = api_as(artist)

    assert problems(api.patch("/api/profile", {"role": "user"})) == [("role", "has_works")]
    assert api.patch("/api/profile", {"role": "artist"}).status_code == 200

    work.objects.all().delete()
    assert api.patch("/api/profile", {"role": "user"}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_picture_is_reencoded_and_stored_under_a_server_made_key(api, api_as, listener, method):
    change = getattr(api_as(listener), method)

    answer = change("/api/profile", {"profile_picture": picture(name="../../me.php")}, format="multipart")

    url = answer.json()["profile_picture"]
    assert re.fullmatch(r"http://testserver/media/pictures/[0-9a-f-]{36}\.jpg", url)
    shown = api.get(url)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(shown.getvalue())).size == (40, 30)


def test_a_new_picture_replaces_the_old_file(api_as, listener, django_capture_on_commit_callbacks):
    api = api_as(listener)
    first = with_picture(api, picture("red")).json()["profile_picture"]

    with django_capture_on_commit_callbacks(execute=True):
        second = with_picture(api, picture("blue")).json()["profile_picture"]

    assert first != second
    assert [f"http://testserver/media/pictures/{name}" for name in stored_pictures()] == [second]


def test_a_picture_can_be_removed(api_as, listener, django_capture_on_commit_callbacks):
    api = api_as(listener)
    with_picture(api, picture())

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.patch("/api/profile", {"profile_picture": None})

    assert answer.status_code == 200
    assert answer.json()["profile_picture"] is None
    assert stored_pictures() == []


def test_other_changes_keep_the_picture(api_as, listener):
    api = api_as(listener)
    url = with_picture(api, picture()).json()["profile_picture"]

    assert api.put("/api/profile", {"name": "Nina"}).json()["profile_picture"] == url
    assert len(stored_pictures()) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no picture", "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "invalid_image"),
        (picture().read()[:60], "invalid_image"),
        (b"", "invalid_image"),
        (bytes(10 * 2**20 + 1), "file_too_large"),
    ],
)
def test_a_bad_picture_is_refused_and_the_old_one_stays(api_as, listener, content, code):
    api = api_as(listener)
    url = with_picture(api, picture()).json()["profile_picture"]

    answer = with_picture(api, SimpleUploadedFile("me.png", content, "image/png"))

    assert problems(answer) == [("profile_picture", code)]
    assert api.get("/api/profile").json()["profile_picture"] == url
    assert len(stored_pictures()) == 1


def test_a_text_instead_of_a_picture_is_refused(api_as, listener):
    answer = api_as(listener).patch("/api/profile", {"profile_picture": "me.png"})

    assert problems(answer) == [("profile_picture", "invalid")]


def test_while_storage_is_down_a_change_is_refused_as_a_whole(api_as, listener, settings, tmp_path):
    (tmp_path / "a_file").touch()
    settings.MEDIA_ROOT = tmp_path / "a_file"
    api = api_as(listener)
    api.raise_request_exception = False

    answer = api.patch("/api/profile", {"name": "Nina", "profile_picture": picture()}, format="multipart")

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "storage_unavailable"
    listener.refresh_from_db()
    assert listener.name == "listener"


def test_a_change_does_not_undo_concurrent_changes(api_as, listener):
    from Spotify_Clone.account.profile import ProfileWriteSerializer

    profile = UserProfile.objects.select_related("user").get(user=listener)
    listener.set_password("another long road home")
    listener.save()

    ProfileWriteSerializer().update(profile, {"name": "Nina"})

    listener.refresh_from_db()
    assert listener.name == "Nina"
    assert listener.check_password("another long road home")


def test_a_change_touches_only_the_callers_profile(api_as, listener, artist):
    api_as(listener).put("/api/profile", {"name": "Nina", "audio_quality": "low"})

    other = User.objects.select_related("profile").get(pk=artist.pk)
    assert (other.name, other.profile.audio_quality) == ("The Artist", "medium")
