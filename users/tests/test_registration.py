from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users.models import AuthToken, User

pytestmark = pytest.mark.django_db
# All apps, so that PostgreSQL truncates with CASCADE; without it foreign keys between the tables forbid that.
TOGETHER = pytest.mark.django_db(transaction=True)


def registration(**fields):
    return {"email": "nina@example.com", "password": PASSWORD, **fields}


def problems(answer):
    assert answer.json()["type"] == "validation_error"
    return {(error["attr"], error["code"]) for error in answer.json()["errors"]}


def test_registration_returns_a_working_token(api):
    answer = api.post("/api/users", registration())

    assert answer.status_code == 201
    assert answer.json().keys() == {"token", "user"}
    user = User.objects.get()
    assert answer.json()["user"] == {
        "id": str(user.pk),
        "email": "nina@example.com",
        "username": "nina",
        "name": "nina",
        "role": "user",
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
    }
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert api.get("/api/profile").json()["user"]["id"] == str(user.pk)


def test_the_path_may_end_with_a_slash(api):
    assert api.post("/api/users/", registration()).status_code == 201


def test_a_form_can_register(api):
    assert api.post("/api/users", registration(), format="multipart").status_code == 201


def test_the_token_is_valid_for_30_days_and_stored_as_a_digest(api):
    token = api.post("/api/users", registration()).json()["token"]

    stored = AuthToken.objects.get()
    assert abs(stored.expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert token not in (stored.digest, stored.token_key)


def test_the_password_is_stored_as_a_hash(api):
    api.post("/api/users", registration())

    user = User.objects.get()
    assert PASSWORD not in user.password
    assert user.check_password(PASSWORD)


def test_a_name_may_be_of_any_script(api):
    answer = api.post("/api/users", registration(username="nina", name="Ніна Сімон 歌手", role="artist"))

    assert answer.json()["user"]["name"] == "Ніна Сімон 歌手"
    assert answer.json()["user"]["role"] == "artist"


@pytest.mark.parametrize(
    ("email", "username"),
    [
        ("nina.simone+music@example.com", "nina.simone+music"),
        ("NINA@example.com", "nina"),
        ("o'hara@example.com", "o.hara"),
        ("!!!@example.com", "listener"),
    ],
)
def test_a_username_is_made_from_the_address(api, email, username):
    assert api.post("/api/users", registration(email=email)).json()["user"]["username"] == username


def test_a_generated_username_is_unique(api):
    for host in ("a.example", "b.example", "c.example"):
        assert api.post("/api/users", registration(email=f"nina@{host}")).status_code == 201

    assert User.objects.values_list("username", flat=True).distinct().count() == 3


@pytest.mark.parametrize("again", ["nina@example.com", "NINA@Example.COM", " nina@example.com "])
def test_addresses_are_unique_ignoring_case(api, again):
    api.post("/api/users", registration())

    answer = api.post("/api/users", registration(email=again, username="another"))

    assert answer.status_code == 400
    assert problems(answer) == {("email", "unique")}
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("taken", "again"), [("Nina", "nINA"), ("Ünal", "ÜNAL"), ("straße", "STRASSE"), ("ｎina", "nina")]
)
def test_usernames_are_unique_ignoring_case(api, make_user, taken, again):
    make_user("first", name="The first")
    user = User.objects.get()
    user.username = taken
    user.save()

    answer = api.post("/api/users", registration(username=again))

    assert problems(answer) == {("username", "unique")}
    assert User.objects.count() == 1


def test_a_username_with_an_at_sign_must_be_the_accounts_address(api):
    stranger = api.post("/api/users", registration(username="somebody@else.example"))
    own = api.post("/api/users", registration(username="Nina@example.com"))

    assert problems(stranger) == {("username", "invalid")}
    assert own.status_code == 201


@pytest.mark.parametrize("username", ["nina simone", "nina!", "<b>", "歌 手", "x" * 151])
def test_a_username_with_other_characters_is_refused(api, username):
    answer = api.post("/api/users", registration(username=username))

    assert answer.status_code == 400
    assert {attr for attr, _ in problems(answer)} == {"username"}


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("xq7", "password_too_short"),
        ("password123", "password_too_common"),
        ("8301649275", "password_entirely_numeric"),
        ("nina@example.com", "password_too_similar"),
    ],
)
def test_a_weak_password_is_refused(api, password, code):
    answer = api.post("/api/users", registration(password=password))

    assert answer.status_code == 400
    assert ("password", code) in problems(answer)
    assert not User.objects.exists()


def test_a_password_like_the_username_is_refused(api):
    answer = api.post("/api/users", registration(username="thunderbird", password="thunderbird1"))

    assert problems(answer) == {("password", "password_too_similar")}


def test_spaces_around_a_password_are_part_of_it(api):
    api.post("/api/users", registration(password=f" {PASSWORD} "))

    assert User.objects.get().check_password(f" {PASSWORD} ")


def test_all_wrong_fields_are_named_in_one_answer(api, make_user):
    make_user("nina")

    answer = api.post(
        "/api/users",
        {"email": "nina@example.com", "password": "xq7", "username": "a b", "role": "king", "name": "x" * 201},
    )

    assert {attr for attr, _ in problems(answer)} == {"email", "password", "username", "role", "name"}


def test_missing_fields_are_named(api):
    assert problems(api.post("/api/users", {})) == {("email", "required"), ("password", "required")}


def test_unknown_and_read_only_fields_are_ignored(api):
    extra = {"is_staff": True, "is_superuser": True, "id": "7", "date_joined": "1999-01-01", "colour": "red"}

    assert api.post("/api/users", registration(**extra)).status_code == 201

    user = User.objects.get()
    assert not user.is_staff
    assert not user.is_superuser
    assert user.date_joined.year > 2000


def test_an_expired_token_in_the_header_is_ignored(api):
    api.credentials(HTTP_AUTHORIZATION="Token of-an-account-that-is-gone")

    assert api.post("/api/users", registration()).status_code == 201


def register_at_once(*registrations):
    """Return the responses to registrations that are sent at the same moment."""
    together = Barrier(len(registrations))

    def send(fields):
        together.wait()
        try:
            return APIClient().post("/api/users", fields)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(registrations)) as threads:
        return list(threads.map(send, registrations))


@TOGETHER
@pytest.mark.usefixtures("database_of_threads")
def test_two_registrations_of_one_address_at_once_create_one_account():
    answers = register_at_once(
        registration(username="first"), registration(username="second", email="Nina@example.com")
    )

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (201, 400), lost.json()
    assert problems(lost) == {("email", "unique")}
    assert User.objects.get().profile


@TOGETHER
@pytest.mark.usefixtures("database_of_threads")
def test_two_registrations_of_one_username_at_once_create_one_account():
    answers = register_at_once(registration(username="nina"), registration(username="NINA", email="b@example.com"))

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (201, 400), lost.json()
    assert problems(lost) == {("username", "unique")}


@TOGETHER
@pytest.mark.usefixtures("database_of_threads")
def test_usernames_generated_at_once_do_not_collide():
    answers = register_at_once(*(registration(email=f"nina@{host}.example") for host in "abcd"))

    assert [answer.status_code for answer in answers] == [201] * 4, [answer.json() for answer in answers]
    assert User.objects.count() == 4
