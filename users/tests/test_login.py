from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users.models import AuthToken, FailedLogin, User

pytestmark = pytest.mark.django_db


class CountingHasher(MD5PasswordHasher):
    """A cheap hasher that counts its calls. Hashing takes most of the time of a log-in."""

    times = 0

    def encode(self, password, salt):
        CountingHasher.times += 1
        return super().encode(password, salt)


@pytest.fixture
def hashings(settings):
    """Return a function that counts how often a call hashes a password: `hashings(lambda: …)`."""
    settings.PASSWORD_HASHERS = ["users.tests.test_login.CountingHasher"]

    def count(call):
        before = CountingHasher.times
        call()
        return CountingHasher.times - before

    return count


def from_address(address):
    return APIClient(REMOTE_ADDR=address)


def log_in(api, email="listener@example.com", password=PASSWORD):
    return api.post("/api/login", {"email": email, "password": password})


def guess(api, times, email="listener@example.com"):
    return [log_in(api, email, "wrong").status_code for _ in range(times)]


def test_the_right_pair_gives_a_token_and_the_user(api, listener):
    answer = log_in(api)

    assert answer.status_code == 200
    assert answer.json().keys() == {"token", "user"}
    assert answer.json()["user"].keys() == {"id", "email", "username", "name", "role", "date_joined"}
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert api.get("/api/profile").status_code == 200


@pytest.mark.parametrize("identifier", ["LISTENER@Example.com", "listener", "Listener", " listener@example.com "])
def test_log_in_works_by_address_or_username_ignoring_case(api, listener, identifier):
    assert log_in(api, identifier).json()["user"]["id"] == str(listener.pk)


def test_answers_with_a_token_are_not_cacheable(api, api_as, listener):
    new = {"email": "nina@example.com", "password": PASSWORD}
    change = {"old_password": PASSWORD, "new_password": "another long road home"}

    answers = [log_in(api), api.post("/api/users", new), api_as(listener).post("/api/password/change", change)]

    assert [(answer.status_code, answer["Cache-Control"]) for answer in answers] == [
        (200, "no-store"),
        (201, "no-store"),
        (200, "no-store"),
    ]


def test_each_device_gets_a_token_of_its_own(api, listener):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    pair = {"email": "listener@example.com", "password": PASSWORD}
    first = api.post("/api/login", pair, HTTP_USER_AGENT=firefox).json()["token"]
    second = api.post("/api/login", pair, HTTP_USER_AGENT="curl/8.5.0").json()["token"]

    assert first != second
    assert set(AuthToken.objects.values_list("device", flat=True)) == {"Firefox on Linux", "curl/8.5.0"}


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(api, listener):
    wrong, unknown = log_in(api, password="wrong"), log_in(api, "nobody@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.json()["type"] == "client_error"
    assert [(error["code"], error["attr"]) for error in wrong.json()["errors"]] == [("invalid_credentials", None)]
    assert wrong["WWW-Authenticate"] == unknown["WWW-Authenticate"] == "Token"


def test_every_refusal_hashes_one_password(api, hashings, make_user):
    hashings(lambda: make_user("listener"))
    hashings(lambda: make_user("suspended", is_active=False))
    hashings(lambda: User.objects.create_user(None, "imported"))

    assert hashings(lambda: log_in(api, password="wrong")) == 1
    assert hashings(lambda: log_in(api, "nobody@example.com")) == 1
    assert hashings(lambda: log_in(api, "nobody")) == 1
    assert hashings(lambda: log_in(api, "suspended@example.com")) == 1
    assert hashings(lambda: log_in(api, "imported")) == 1


def test_a_suspended_account_cannot_log_in(api, make_user):
    make_user("suspended", is_active=False)

    assert log_in(api, "suspended@example.com").json()["errors"][0]["code"] == "invalid_credentials"


def test_an_imported_account_without_a_password_cannot_log_in(api):
    User.objects.create_user(None, "imported", role="artist")

    for password in ("None", "!", "null"):
        assert log_in(api, "imported", password).status_code == 401
    assert log_in(api, "imported", "").status_code == 400


def test_an_expired_token_in_the_header_is_ignored(api, listener):
    api.credentials(HTTP_AUTHORIZATION="Token ended-long-ago")

    assert log_in(api).status_code == 200


def test_missing_fields_are_named(api):
    errors = api.post("/api/login", {}).json()["errors"]

    assert [(error["attr"], error["code"]) for error in errors] == [("email", "required"), ("password", "required")]


def test_an_eleventh_wrong_password_in_a_minute_is_429(api, listener):
    assert guess(api, 10) == [401] * 10

    answer = log_in(api, password="wrong")

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer.json()["errors"][0]["code"] == "throttled"
    assert log_in(api).status_code == 429


def test_guesses_are_counted_for_unknown_addresses_too(api, db):
    assert guess(api, 11, "nobody@example.com") == [401] * 10 + [429]


def test_other_spellings_of_the_address_are_counted_together(api, listener):
    guess(api, 5)
    guess(api, 5, " LISTENER@example.com ")

    assert guess(api, 1) == [429]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("listener", "listener@example.com"),
        ("listener@example.com", "LISTENER"),
        ("Listener@Example.com", " \uff4cistener "),  # a fullwidth letter
    ],
)
def test_guesses_by_address_and_by_username_count_together(api, listener, first, second):
    assert guess(api, 5, first) == [401] * 5
    assert guess(api, 5, second) == [401] * 5

    assert guess(api, 1, first) == [429]
    assert guess(api, 1, second) == [429]
    assert log_in(from_address("198.51.100.7"), second).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("post", "/api/password/change", "old_password"),
        ("post", "/api/email/change", "password"),
        ("delete", "/api/profile", "password"),
    ],
)
def test_password_confirmations_count_with_log_ins(api, api_as, listener, method, path, field):
    guess(api, 6, "listener")
    ask = getattr(api_as(listener), method)
    body = {field: "wrong", "new_password": "another long road", "email": "new@example.com"}

    assert [ask(path, body).status_code for _ in range(4)] == [400] * 4
    answer = ask(path, body)
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert log_in(api).status_code == 429


def test_another_account_can_still_log_in_from_the_same_ip_address(api, listener, artist):
    guess(api, 11)

    assert log_in(api, "artist@example.com").status_code == 200


def test_the_right_password_from_another_ip_address_still_works(listener):
    guess(from_address("203.0.113.9"), 11)

    assert log_in(from_address("198.51.100.7")).status_code == 200


def test_an_ip_address_has_30_guesses_a_minute_over_all_accounts(listener):
    guesser = from_address("203.0.113.9")
    for number in range(30):
        assert guess(guesser, 1, f"somebody{number}@example.com") == [401]

    assert log_in(guesser, "anybody@example.com").status_code == 429
    assert log_in(guesser).status_code == 429
    assert log_in(from_address("198.51.100.7")).status_code == 200


def test_right_passwords_are_not_counted(api, listener):
    assert [log_in(api).status_code for _ in range(12)] == [200] * 12
    assert not FailedLogin.objects.exists()


def test_guesses_are_allowed_again_after_a_minute(api, listener):
    guess(api, 11)
    FailedLogin.objects.update(at=timezone.now() - timedelta(seconds=61))

    assert log_in(api).status_code == 200
    assert not FailedLogin.objects.exists()


def test_waiting_as_long_as_retry_after_says_is_enough(api, listener):
    guess(api, 10)
    wait = int(log_in(api)["Retry-After"])
    for failed in FailedLogin.objects.all():
        failed.at -= timedelta(seconds=wait)
        failed.save()

    assert log_in(api).status_code == 200


def test_x_forwarded_for_is_ignored_without_a_proxy(listener):
    made_up = [APIClient(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}") for number in range(11)]

    assert [log_in(api, password="wrong").status_code for api in made_up] == [401] * 10 + [429]


def test_behind_a_proxy_only_its_own_entry_counts(settings, listener):
    settings.TRUSTED_PROXIES = 1
    made_up = [APIClient(HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.9") for number in range(11)]

    assert [log_in(api, password="wrong").status_code for api in made_up] == [401] * 10 + [429]
    assert log_in(APIClient(HTTP_X_FORWARDED_FOR="198.51.100.7")).status_code == 200


def test_throttling_can_be_switched_off(settings, api, listener):
    settings.THROTTLING = False

    assert guess(api, 12) == [401] * 12


def test_guesses_at_the_log_in_page_and_the_api_count_together(api, client, listener):
    guess(api, 9)
    form = {"username": "listener@example.com", "password": "wrong"}
    page = client.post("/accounts/login", form)
    assert [error.code for error in page.context["form"].non_field_errors().as_data()] == ["invalid_credentials"]

    for path in ("/admin/login/", "/accounts/login"):
        page = client.post(path, {**form, "password": PASSWORD})

        assert page.status_code == 429
        assert 1 <= int(page["Retry-After"]) <= 60
        assert "throttled" in page.content.decode()
    assert "_auth_user_id" not in client.session
