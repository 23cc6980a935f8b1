"""Deletion of a user who did everything there is to do: no table and no file holds their data afterwards."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from conftest import PASSWORD
from core.jobs.worker import LeasedWorker
from music.models import Album, ArtistCounts, Song, SongCounts
from music.tests.samples import audio_sample, image_sample
from music.tests.uploads import send_image, upload
from payments.models import BillingAccount, StudentApplication
from users.models import AuthToken, User

pytestmark = pytest.mark.django_db

EMAIL, USERNAME, NAME = "q.vexworth@example.com", "Quillanne_V", "Quillanne Vexworth"
CARD = SimpleUploadedFile("card.pdf", b"%PDF-1.7 Quillanne Vexworth studies here")


@pytest.fixture
def queue(tasks, settings):
    """Queue tasks in the database, as in production."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}


@pytest.fixture
def work(queue):
    """Return a function that runs queued tasks as the worker does, until none is left."""
    worker = LeasedWorker(queue_names=["*"], excluded_queue_names=[], interval=0, batch=True, backend_name="default",
                          startup_delay=False, max_tasks=None, worker_id="worker")  # fmt: skip

    def done():
        while task := DBTaskResult.objects.ready().first():
            task.claim("worker")
            worker.run_task(task)

    return done


@pytest.fixture
def person(queue, settings, work, mailoutbox):
    """Return the API client of a user who has registered and confirmed their address."""
    settings.EMAIL_VERIFICATION = True
    client = APIClient()
    account = {"email": EMAIL, "password": PASSWORD, "username": USERNAME, "name": NAME, "role": "artist"}
    token = client.post("/api/users", account).json()["token"]
    work()
    client.post("/api/email/verify", {"token": in_mail(mailoutbox[-1], "token")})
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def in_mail(mail, parameter):
    return re.search(rf"[?&]{parameter}=([\w.-]+)", mail.body)[1]


def me():
    return User.objects.get(username=USERNAME)


def publishes(person):
    person.patch("/api/profile", {"profile_picture": SimpleUploadedFile("me.jpg", image_sample())}, format="multipart")
    upload(person, audio_sample("wav", 3), title="A song", album_title="An album", genre="Waltz")
    send_image(person, f"/api/albums/{Album.objects.get().pk}", image_sample())


def listens(person, song):
    for action in ("like", "play", "favorite", "skip"):
        assert person.post(f"/api/songs/{song.pk}/{action}").status_code < 300
    person.post(f"/api/artists/{song.artist_id}/follow")


def asks_for_letters(person, work):
    """Cause mails: a password reset, one that can't be delivered, and one to another address."""
    settings.EMAIL_BACKEND = "payments.tests.test_nothing_stays.NoMail"
    person.post("/api/password/reset", {"email": EMAIL.upper()})
    work()
    assert DBTaskResult.objects.failed().filter(traceback__contains=EMAIL).exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    person.post("/api/password/reset", {"email": EMAIL})
    person.post("/api/email/change", {"email": "another@example.org", "password": PASSWORD})


class NoMail:
    def __init__(self, **kwargs):
        pass

    def send_messages(self, messages):
        raise OSError(f"Mail can't be sent to {messages[0].to}")


def stands_at_the_door(person):
    for identifier in (EMAIL, USERNAME):
        APIClient().post("/api/login", {"email": identifier, "password": "wrong"})
    person.get("/api/sessions")


def uses_the_pages(client):
    User.objects.filter(username=USERNAME).update(is_staff=True, is_superuser=True)
    assert client.post("/accounts/login", {"username": EMAIL, "password": PASSWORD}).status_code == 302
    client.post("/admin/music/genre/add/", {"title": "Polka"})
    assert LogEntry.objects.filter(user=me()).exists()


def is_looked_after(boss, client):
    """Rename the user and one of their works as an admin."""
    client.force_login(boss)
    forms = {"profile-TOTAL_FORMS": 1, "profile-INITIAL_FORMS": 1, "profile-0-id": me().profile.pk,
             "profile-0-user": me().pk, "profile-0-audio_quality": "low"}  # fmt: skip
    fields = {"email": EMAIL, "username": USERNAME, "name": NAME, "role": "artist", "is_active": "on"}
    assert client.post(f"/admin/users/user/{me().pk}/change/", {**fields, **forms}).status_code == 302
    album = Album.objects.get()
    client.post(f"/admin/music/album/{album.pk}/change/", {"title": f"Songs of {NAME}", "artist": me().pk})
    single = Album.objects.create(title=f"{NAME} live", artist=me())
    client.post(f"/admin/music/album/{single.pk}/delete/", {"post": "yes", "reason": f"{NAME} recorded it elsewhere"})
    assert LogEntry.objects.filter(user=boss).count() == 3


def studies(person, boss, client):
    person.post("/api/subscriptions/student", {"school_email": "quillanne@school.example"})
    client.force_login(boss)
    chosen = {"action": "approve", "_selected_action": [str(StudentApplication.objects.get().pk)]}
    client.post("/admin/payments/studentapplication/", chosen)
    person.post("/api/subscriptions/student", {"document": CARD}, format="multipart")


def pays(person, plan, stripe, payment_method="pm_card_visa"):
    body = {"plan_id": str(plan.pk), "payment_method": payment_method}
    assert person.post("/api/subscriptions/subscribe", body, headers={"Idempotency-Key": "mine"}).status_code == 201
    stripe.later(days=31)
    for card in stripe.all("payment_methods"):
        stripe.post(f"/v1/payment_methods/{card['id']}/detach")
    stripe.catch_up(types=())


def traces_of(needles):
    """Return `table.column: needle` for every needle that is found in the database."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    text = as_text(value)
                    found += [f"{table}.{column}: {needle}" for needle in needles if needle in text]
    found += [f"session: {needle}" for session in Session.objects.all() for needle in needles
              if needle in str(session.get_decoded()).lower()]  # fmt: skip
    return sorted(set(found))


def as_text(value):
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1").lower()
    return str(value).lower()


def files_left():
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def needles_of(user):
    """Return the texts that would identify the user."""
    tokens = AuthToken.objects.filter(user=user)
    works = [str(pk) for pk in Song.objects.filter(artist=user).values_list("pk", flat=True)]
    customer = BillingAccount.objects.filter(user=user).values_list("stripe_customer_id", flat=True)
    named = [str(user.pk), user.pk.hex, EMAIL, USERNAME, NAME, *NAME.split(), "another@example.org"]
    digests = [text for token in tokens for text in (token.digest, token.token_key, str(token.pk), token.pk.hex)]
    return {needle.lower() for needle in (*named, *digests, *works, *customer, "quillanne@school")}


@pytest.fixture
def other_song(other_artist):
    song = Song.objects.create(title="Theirs", artist=other_artist)
    SongCounts.objects.create(song=song)
    return song


def test_a_deleted_paying_artist_leaves_no_data(
    person, work, stripe, plans, other_song, listener, make_user, api_as, client, mailoutbox
):
    boss = make_user("boss", is_staff=True, is_superuser=True)
    publishes(person)
    listens(person, other_song)
    listens(api_as(listener), Song.objects.get(artist=me()))
    work()
    pays(person, plans.family, stripe)
    person.post("/api/subscriptions/members", {"email": "listener@example.com"})
    work()
    api_as(listener).post("/api/subscriptions/join", {"token": in_mail(mailoutbox[-1], "token")})
    uses_the_pages(client)
    is_looked_after(boss, client)
    studies(person, boss, client)
    asks_for_letters(person, work)
    stands_at_the_door(person)
    needles = needles_of(me())
    assert len(traces_of(needles)) > 50
    assert len(files_left()) >= 5

    assert person.delete("/api/profile", {"password": PASSWORD}).status_code == 204
    work()
    stripe.catch_up(types=())
    work()

    assert traces_of(needles) == []
    assert files_left() == set()
    assert LogEntry.objects.filter(user=boss).count() == 4  # two forms, an approval, a deleted single
    counts = SongCounts.objects.get()
    assert (counts.song, counts.play_count, counts.like_count) == (other_song, 0, 0)
    assert ArtistCounts.objects.get().follower_count == 0
    call_command("recount", check=True)


def test_a_user_deleted_by_an_admin_leaves_no_data(person, work, make_user, client, other_song):
    boss = make_user("boss", is_staff=True, is_superuser=True)
    publishes(person)
    listens(person, other_song)
    needles = needles_of(me())
    client.force_login(boss)

    answer = client.post(f"/admin/users/user/{me().pk}/delete/", {"post": "yes"})
    work()

    assert answer.status_code == 302
    assert traces_of(needles) == []
    assert files_left() == set()
    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.object_repr) == (boss, "of a closed account")


def test_a_deleted_member_leaves_no_data(person, work, stripe, subscribe, plans, listener, artist, api_as, mailoutbox):
    subscribe(listener, plans.family)
    for owner in (listener, artist):
        subscribe(owner, plans.family)
        api_as(owner).post("/api/subscriptions/members", {"email": EMAIL})
        work()
    assert person.post("/api/subscriptions/join", {"token": in_mail(mailoutbox[-1], "token")}).status_code == 200
    needles = needles_of(me())

    assert person.delete("/api/profile", {"password": PASSWORD}).status_code == 204
    work()

    assert traces_of(needles) == []
    for owner in (listener, artist):
        assert api_as(owner).get("/api/subscriptions/members").json()["results"] == []


def test_a_member_invited_by_the_deleted_users_address_keeps_the_seat(
    person, work, subscribe, stripe, plans, listener, artist, api_as, mailoutbox, current
):
    subscribe(listener, plans.family)
    api_as(listener).post("/api/subscriptions/members", {"email": EMAIL})
    work()
    api_as(artist).post("/api/subscriptions/join", {"token": in_mail(mailoutbox[-1], "token")})
    needles = needles_of(me())

    assert person.delete("/api/profile", {"password": PASSWORD}).status_code == 204
    work()

    assert traces_of(needles) == []
    assert current(artist)["role"] == "member"


def test_a_user_with_two_successive_stripe_customers_leaves_no_data(person, work, stripe, plans):
    pays(person, plans.individual, stripe)
    [first] = stripe.customers()
    for customer in stripe.customers():
        stripe.ask("DELETE", f"/v1/customers/{customer['id']}")
    stripe.catch_up(types=())
    body = {"plan_id": str(plans.duo.pk), "payment_method": "pm_card_visa"}
    assert person.post("/api/subscriptions/subscribe", body).status_code == 201
    stripe.catch_up(types=())
    needles = needles_of(me()) | {first["id"].lower()}

    assert person.delete("/api/profile", {"password": PASSWORD}).status_code == 204
    work()

    assert traces_of(needles) == []


def test_deleting_the_account_ends_browser_sessions(person, client, work, listener):
    client.post("/accounts/login", {"username": EMAIL, "password": PASSWORD})
    another = Client()
    another.post("/accounts/login", {"username": "listener", "password": PASSWORD})
    assert Session.objects.count() == 2

    person.delete("/api/profile", {"password": PASSWORD})
    work()

    assert Session.objects.count() == 1
    assert another.get("/api/profile").status_code == 200
    assert client.get("/api/profile").status_code == 401
