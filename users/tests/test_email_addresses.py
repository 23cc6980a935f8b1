"""Confirmation and change of e-mail addresses."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.utils import timezone

from conftest import PASSWORD
from music.models import Album, Genre, Song, SongCounts
from music.tests.samples import audio_sample
from music.tests.uploads import upload
from users.models import User

pytestmark = pytest.mark.django_db

NEW = "another long road home"


@pytest.fixture
def verifying(settings):
    settings.EMAIL_VERIFICATION = True


@pytest.fixture
def newcomer(verifying, api):
    """Return the API client of an artist who has just registered."""
    answer = api.post("/api/users", {"email": "nina@example.com", "password": PASSWORD, "role": "artist"})
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    return api


def problems(answer, status=400):
    assert answer.status_code == status, answer.content
    return [(error["attr"], error["code"]) for error in answer.json()["errors"]]


def token_in(mail):
    query = parse_qs(urlsplit(re.search(r"http\S+", mail.body)[0]).query)
    return query["token"][0]


def change(api, email, password=PASSWORD):
    return api.post("/api/email/change", {"email": email, "password": password})


def verify(api, token):
    return api.post("/api/email/verify", {"token": token})


def test_without_email_verification_no_confirmation_is_requested(api, mailoutbox):
    answer = api.post("/api/users", {"email": "nina@example.com", "password": PASSWORD, "role": "artist"})
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")

    assert upload(api, audio_sample("mp3")).status_code == 201
    assert mailoutbox == []


def test_a_new_address_gets_a_link_to_the_frontend(newcomer, mailoutbox, settings):
    [mail] = mailoutbox

    assert mail.to == ["nina@example.com"]
    assert f"{settings.FRONTEND_URL}/verify-email?token=" in mail.body


def test_before_it_is_confirmed_nothing_is_published(newcomer, db):
    jazz = {"title": "Jazz"}

    assert problems(upload(newcomer, audio_sample("mp3")), 403) == [(None, "email_not_verified")]
    assert problems(newcomer.post("/api/albums", {"title": "First"}), 403) == [(None, "email_not_verified")]
    assert problems(newcomer.post("/api/genres", jazz), 403) == [(None, "email_not_verified")]
    assert not Song.objects.exists()
    assert not Album.objects.exists()
    assert not Genre.objects.exists()


def test_before_it_is_confirmed_nothing_is_paid(newcomer):
    [*_, plan] = newcomer.get("/api/subscriptions").json()["results"]

    for door in ("subscribe", "checkout"):
        answer = newcomer.post(f"/api/subscriptions/{door}", {"plan_id": plan["id"]})
        assert problems(answer, 403) == [(None, "email_not_verified")]


def test_everything_else_works_before_confirmation(newcomer, make_user):
    song = Song.objects.create(title="A song", artist=make_user("other", role="artist"))
    SongCounts.objects.create(song=song)

    assert newcomer.get("/api/profile").status_code == 200
    assert newcomer.post(f"/api/songs/{song.pk}/favorite").status_code == 201
    assert newcomer.patch(f"/api/songs/{song.pk}", {"title": "Mine"}).status_code == 403
    assert newcomer.patch("/api/songs/7d9ba2c8-0000-4000-8000-000000000000", {"title": "Mine"}).status_code == 404


def test_the_link_confirms_it_and_then_everything_works(newcomer, api, mailoutbox):
    assert verify(api, token_in(mailoutbox[0])).status_code == 204

    assert newcomer.get("/api/profile").status_code == 200
    assert upload(newcomer, audio_sample("mp3")).status_code == 201


def test_a_link_works_once(newcomer, mailoutbox):
    token = token_in(mailoutbox[0])
    verify(newcomer, token)

    assert problems(verify(newcomer, token)) == [(None, "invalid_token")]


@pytest.mark.parametrize(("hours", "status"), [(23, 204), (25, 400)])
def test_a_link_works_for_a_day(newcomer, mailoutbox, hours, status):
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert verify(newcomer, token_in(mailoutbox[0])).status_code == status


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", ".", "..", "a" * 1000])
def test_a_made_up_token_is_refused(api, db, token):
    assert problems(verify(api, token)) == [(None, "invalid_token")]


def test_a_token_that_was_tampered_with_is_refused(newcomer, mailoutbox):
    said, rest = token_in(mailoutbox[0]).split(".", 1)

    assert problems(verify(newcomer, f"{said[:-2]}xx.{rest}")) == [(None, "invalid_token")]


def test_a_token_is_needed(api, db):
    assert problems(verify(api, "")) == [("token", "blank")]
    assert problems(api.post("/api/email/verify", {})) == [("token", "required")]


def test_the_same_address_gets_another_link(newcomer, mailoutbox):
    assert change(newcomer, "nina@example.com").status_code == 204

    [_, again] = mailoutbox
    assert again.to == ["nina@example.com"]
    assert verify(newcomer, token_in(again)).status_code == 204


def test_a_mistyped_address_can_be_corrected_without_a_mail_to_it(newcomer, mailoutbox):
    assert change(newcomer, "nina@example.org").status_code == 204

    [_, mail] = mailoutbox
    assert mail.to == ["nina@example.org"]
    assert verify(newcomer, token_in(mail)).status_code == 204
    assert newcomer.get("/api/profile").json()["user"]["email"] == "nina@example.org"


def test_a_confirmed_address_gets_no_second_link(newcomer, mailoutbox):
    verify(newcomer, token_in(mailoutbox[0]))

    assert change(newcomer, "nina@example.com").status_code == 204
    assert len(mailoutbox) == 1


def test_accounts_from_before_email_verification_count_as_confirmed(listener, artist, verifying, api_as):
    assert upload(api_as(artist), audio_sample("mp3")).status_code == 201


def test_a_password_reset_confirms_the_address(newcomer, api, mailoutbox):
    api.post("/api/password/reset", {"email": "nina@example.com"})
    link = parse_qs(urlsplit(re.search(r"http\S+", mailoutbox[-1].body)[0]).query)
    body = {"uid": link["uid"][0], "token": link["token"][0], "new_password": NEW}
    assert api.post("/api/password/reset/confirm", body).status_code == 204

    answer = api.post("/api/login", {"email": "nina@example.com", "password": NEW})
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert upload(api, audio_sample("mp3")).status_code == 201


def test_an_address_entered_by_an_admin_counts_as_confirmed(newcomer, client, make_user):
    nina = User.objects.get()
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    profile = {"profile-TOTAL_FORMS": 0, "profile-INITIAL_FORMS": 0}
    fields = {"email": "nina@example.net", "username": "nina", "name": "Nina", "role": "artist", "is_active": "on"}

    answer = client.post(f"/admin/users/user/{nina.pk}/change/", {**fields, **profile})

    assert answer.status_code == 302, answer.context["errors"]
    nina.refresh_from_db()
    assert nina.email == "nina@example.net"
    assert nina.email_confirmed_at


# Change of address


def test_an_address_changes_when_the_new_one_is_confirmed(api, api_as, listener, mailoutbox):
    phone = api_as(listener)

    assert change(phone, "sam@example.org").status_code == 204
    assert phone.get("/api/profile").json()["user"]["email"] == "listener@example.com"

    [link] = [mail for mail in mailoutbox if mail.to == ["sam@example.org"]]
    assert verify(api, token_in(link)).status_code == 204
    assert phone.get("/api/profile").json()["user"]["email"] == "sam@example.org"
    assert api.post("/api/login", {"email": "sam@example.org", "password": PASSWORD}).status_code == 200
    assert api.post("/api/login", {"email": "listener@example.com", "password": PASSWORD}).status_code == 401


def test_the_old_address_gets_a_mail_and_can_stop_the_change(api, api_as, listener, mailoutbox):
    change(api_as(listener), "thief@example.org")
    notice, link = sorted(mailoutbox, key=lambda mail: mail.to)
    assert notice.to == ["listener@example.com"]
    assert "thief@example.org" in notice.body

    reset = parse_qs(urlsplit(re.search(r"http\S+", notice.body)[0]).query)
    body = {"uid": reset["uid"][0], "token": reset["token"][0], "new_password": NEW}
    assert api.post("/api/password/reset/confirm", body).status_code == 204

    assert problems(verify(api, token_in(link))) == [(None, "invalid_token")]
    assert User.objects.get().email == "listener@example.com"


def test_a_change_to_a_taken_address_is_answered_the_same_and_mails_its_owner(api_as, listener, artist, mailoutbox):
    phone = api_as(listener)

    free, taken = change(phone, "free@example.org"), change(phone, "Artist@example.com")

    assert (free.status_code, free.content) == (taken.status_code, taken.content) == (204, b"")
    [mail] = [mail for mail in mailoutbox if mail.to == ["Artist@example.com"]]
    assert "http" not in mail.body
    assert artist.name not in mail.body
    assert len([mail for mail in mailoutbox if mail.to == ["listener@example.com"]]) == 2


def test_a_taken_address_costs_the_same_queries_as_a_free_one(
    api_as, listener, artist, settings, django_assert_num_queries
):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    settings.THROTTLING = False
    phone = api_as(listener)

    for email in ("free@example.org", "artist@example.com"):
        with django_assert_num_queries(4):
            change(phone, email)


def test_an_address_taken_meanwhile_is_not_moved(api, api_as, listener, make_user, mailoutbox):
    change(api_as(listener), "sam@example.com")
    token = token_in(mailoutbox[-1])
    make_user("sam")

    assert problems(verify(api, token)) == [(None, "unique")]
    listener.refresh_from_db()
    assert listener.email == "listener@example.com"


def test_a_wrong_password_changes_nothing(api_as, listener, mailoutbox):
    answer = change(api_as(listener), "sam@example.org", "wrong")

    assert problems(answer) == [("password", "invalid_password")]
    assert mailoutbox == []


def test_guesses_of_the_password_are_limited_as_at_log_in(api_as, api, listener):
    phone = api_as(listener)
    guesses = [change(phone, "sam@example.org", "wrong").status_code for _ in range(11)]

    assert guesses == [400] * 10 + [429]
    assert int(change(phone, "sam@example.org")["Retry-After"]) > 0
    assert api.post("/api/login", {"email": "listener@example.com", "password": PASSWORD}).status_code == 429


@pytest.mark.parametrize("door", ["password", "profile"])
def test_guesses_at_every_endpoint_with_a_password_are_limited(api_as, listener, door):
    phone = api_as(listener)

    def guess():
        if door == "profile":
            return phone.delete("/api/profile", {"password": "wrong"})
        return phone.post("/api/password/change", {"old_password": "wrong", "new_password": NEW})

    assert [guess().status_code for _ in range(11)] == [400] * 10 + [429]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("email", "required"), ("password", "required")]),
        ({"email": "nobody", "password": PASSWORD}, [("email", "invalid")]),
        ({"email": "x" * 250 + "@example.com", "password": PASSWORD}, [("email", "max_length")]),
    ],
)
def test_a_change_without_a_valid_address_is_refused(api_as, listener, body, expected):
    assert problems(api_as(listener).post("/api/email/change", body))[: len(expected)] == expected


def test_it_needs_a_token(api, db):
    assert change(api, "sam@example.org").status_code == 401


def test_of_two_changes_the_first_that_is_confirmed_ends_the_other(api, api_as, listener, mailoutbox):
    phone = api_as(listener)
    change(phone, "one@example.org")
    change(phone, "two@example.org")
    one, two = (token_in(mail) for mail in mailoutbox if mail.to[0].endswith(".org"))

    assert verify(api, two).status_code == 204
    assert problems(verify(api, one)) == [(None, "invalid_token")]


def test_a_link_stays_used_when_the_old_address_comes_back(api, api_as, listener, mailoutbox):
    phone = api_as(listener)
    change(phone, "away@example.org")
    away = token_in(mailoutbox[-1])
    verify(api, away)
    change(phone, "listener@example.com")
    verify(api, token_in(mailoutbox[-1]))

    assert problems(verify(api, away)) == [(None, "invalid_token")]


def test_a_link_ends_with_a_suspension(api, api_as, listener, mailoutbox):
    change(api_as(listener), "sam@example.org")
    User.objects.update(is_active=False)

    assert problems(verify(api, token_in(mailoutbox[-1]))) == [(None, "invalid_token")]


def test_reset_links_sent_to_the_old_address_are_void(api, api_as, listener, mailoutbox):
    api.post("/api/password/reset", {"email": "listener@example.com"})
    reset = parse_qs(urlsplit(re.search(r"http\S+", mailoutbox[-1].body)[0]).query)
    change(api_as(listener), "sam@example.org")
    verify(api, token_in(mailoutbox[-1]))

    body = {"uid": reset["uid"][0], "token": reset["token"][0], "new_password": NEW}
    assert problems(api.post("/api/password/reset/confirm", body)) == [(None, "invalid_token")]


@pytest.mark.parametrize(
    ("email", "username"),
    [
        ("sam@example.org", "sam@example.org"),
        ("o'neill@example.org", "o.neill"),
        (f"{'x' * 60}@{'y' * 60}.{'z' * 60}.org", "x" * 60),
    ],
)
def test_a_username_that_is_the_address_follows_it(api, api_as, listener, mailoutbox, email, username):
    User.objects.filter(pk=listener.pk).update(username="listener@example.com", username_key="listener@example.com")
    change(api_as(listener), email)

    assert verify(api, token_in(mailoutbox[-1])).status_code == 204

    listener.refresh_from_db()
    assert (listener.email, listener.username) == (email, username)
    assert listener.username_key == username


def test_a_username_that_is_not_the_address_stays(api, api_as, listener, mailoutbox):
    change(api_as(listener), "sam@example.org")
    verify(api, token_in(mailoutbox[-1]))

    listener.refresh_from_db()
    assert listener.username == "listener"


MUNICH = ["nina@m\u00fcnchen.example", "nina@xn--mnchen-3ya.example", "NINA@M\u00dcNCHEN.example"]
HYPHENED = ["nina@example.org", "nina@example.org\u00ad", "nina@ex\u00adample.org"]


@pytest.mark.parametrize("spellings", [MUNICH, MUNICH[::-1], HYPHENED, HYPHENED[::-1]])
def test_spellings_of_one_mailbox_share_one_account(api, spellings, mailoutbox):
    first, *others = spellings
    body = {"password": PASSWORD, "username": "nina"}
    user = api.post("/api/users", {"email": first, **body}).json()["user"]

    for spelling in others:
        refused = api.post("/api/users", {"email": spelling, "password": PASSWORD})
        assert problems(refused) == [("email", "unique")]
        login = api.post("/api/login", {"email": spelling, "password": PASSWORD})
        assert login.json()["user"] == user
        assert api.post("/api/password/reset", {"email": spelling}).status_code == 204
    assert "\u00ad" not in user["email"]
    assert [mail.to for mail in mailoutbox] == [[user["email"]]] * len(others)


def test_the_username_may_be_another_spelling_of_the_address(api):
    body = {"email": "nina@xn--mnchen-3ya.example", "password": PASSWORD, "username": "nina@m\u00fcnchen.example"}

    assert api.post("/api/users", body).status_code == 201


def test_the_admin_refuses_another_spelling_of_a_taken_address(client, make_user):
    make_user("nina", email_confirmed_at=None)
    other = make_user("other")
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    page = f"/admin/users/user/{other.pk}/change/"
    form = client.get(page).context["adminform"].form

    answer = client.post(page, {**form.initial, "email": "nina@example.com\u00ad"})

    assert [error.code for error in answer.context["adminform"].form.errors["email"].as_data()] == ["unique"]
