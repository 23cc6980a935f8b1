"""Limits for mails that requests cause, and the names quoted in them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users.models import SentMail, User

pytestmark = pytest.mark.django_db


def reset(api, email="listener@example.com"):
    assert api.post("/api/password/reset", {"email": email}).status_code == 204


def time_passes(**time):
    for mail in SentMail.objects.all():
        mail.at -= timedelta(**time)
        mail.save()


def change(client, email):
    answer = client.post("/api/email/change", {"email": email, "password": PASSWORD})
    assert answer.status_code == 204


def test_an_address_gets_three_mails_an_hour(api, listener, mailoutbox):
    for _ in range(20):
        reset(api)
    assert len(mailoutbox) == 3

    time_passes(minutes=61)
    for _ in range(5):
        reset(api)
    assert len(mailoutbox) == 6


def test_an_address_gets_ten_mails_a_day(api, listener, mailoutbox):
    for _ in range(5):
        for _ in range(3):
            reset(api)
        time_passes(minutes=61)
    assert len(mailoutbox) == 10

    time_passes(hours=24)
    reset(api)
    assert len(mailoutbox) == 11


def test_mails_of_all_kinds_count_together(api, api_as, listener, artist, mailoutbox):
    reset(api)
    reset(api)
    change(api_as(artist), listener.email)
    assert [mail.to for mail in mailoutbox].count([listener.email]) == 3

    reset(api)
    change(api_as(artist), listener.email)

    assert [mail.to for mail in mailoutbox].count([listener.email]) == 3


@pytest.mark.parametrize(
    ("again", "expected"), [("NINA@example.org", 204), ("nina@EXAMPLE.org", 204), ("ni\u00adna@example.org", 400)]
)
def test_other_spellings_of_an_address_count_together(
    api_as, listener, artist, other_artist, mailoutbox, again, expected
):
    for _ in range(3):
        change(api_as(listener), "nina@example.org")
    assert len([mail for mail in mailoutbox if mail.to == ["nina@example.org"]]) == 3
    before = len(mailoutbox)

    answer = api_as(artist).post("/api/email/change", {"email": again, "password": PASSWORD})

    assert answer.status_code == expected
    assert [mail.to for mail in mailoutbox[before:]] in ([], [[artist.email]])


def test_an_account_causes_twenty_mails_an_hour(api_as, listener, make_user, mailoutbox):
    User.objects.filter(pk=listener.pk).update(email_confirmed_at=None)  # so that the old address gets no mail
    client = api_as(listener)
    for number in range(25):
        change(client, f"nina{number}@example.org")
    assert len(mailoutbox) == 20

    change(api_as(make_user("another")), "somebody@example.org")
    assert "somebody@example.org" in [mail.to[0] for mail in mailoutbox]

    time_passes(minutes=61)
    change(client, "nina@example.org")
    assert mailoutbox[-1].to == ["nina@example.org"]


def test_the_count_of_an_address_outlives_the_sender(api_as, listener, mailoutbox):
    for number in range(5):
        user = User.objects.create_user(f"sender{number}@example.com", f"sender{number}", PASSWORD)
        client = api_as(user)
        change(client, "nina@example.org")
        assert client.delete("/api/profile", {"password": PASSWORD}).status_code == 204

    assert [mail.to for mail in mailoutbox].count(["nina@example.org"]) == 3


def test_a_mail_that_could_not_be_sent_is_not_counted(api, listener, settings):
    settings.EMAIL_BACKEND = "users.tests.test_mail_limits.Broken"

    for _ in range(4):
        reset(api)

    assert not SentMail.objects.exists()


class Broken:
    def __init__(self, **options):
        pass

    def send_messages(self, messages):
        raise ConnectionRefusedError


def test_the_count_stores_no_readable_address(api, listener):
    reset(api)

    [counted] = SentMail.objects.values()

    assert "listener" not in str(counted)
    assert counted["at"] <= timezone.now()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("database_of_threads")
def test_requests_at_the_same_moment_cannot_exceed_the_limit(make_user, mailoutbox):
    make_user("listener")
    together = Barrier(8)

    def ask(_):
        together.wait()
        try:
            reset(APIClient())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))

    assert len(mailoutbox) == 3
    assert SentMail.objects.count() == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Nina Simone", "Nina Simone"),
        ("Beyoncé & Jay-Z", "Beyoncé & Jay-Z"),
        ("سارا\u200cبانو", "سارا\u200cبانو"),
        ("will.i.am", "will. i. am"),
        ("Win at evil.example/now", "Win at evil. example now"),
        ("https://evil.example", "evil. example"),
        ("call nina@evil.example", "call nina evil. example"),
        ("evil。example", "evil。 example"),
        ("Nina\r\nBcc: victim@example.org", "Nina Bcc victim example. org"),
        ("Nina\u2028\u2029\x85\x00\u202e\ufeff", "Nina"),
        ("<a href='x'>Nina</a>", "a href='x' Nina a"),
        ("N" * 200, "N" * 60 + "…"),
    ],
)
def test_a_quoted_name_contains_no_link_and_no_line_break(api, listener, mailoutbox, name, shown):
    User.objects.filter(pk=listener.pk).update(name=name if connection.vendor == "sqlite" else name.replace("\0", ""))

    reset(api)

    [mail] = mailoutbox
    assert mail.body.splitlines()[0] == f"Hello {shown},"
    assert len(re.findall(r"http\S+", mail.body)) == 1
