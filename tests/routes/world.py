"""The callers and objects of the route table: each object is visible to some callers and not to others."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from music.models import Ad, Album, AudioAnalysis, Genre, Song, SongCounts
from music.streaming.waveform import POINTS
from music.tests.samples import audio_sample
from music.tests.uploads import give_audio
from payments.models import Membership, StudentApplication, Subscription, SubscriptionPlan
from users.models import AuthToken, User
from users.passwords import reset_link

CALLERS = ("anonymous", "listener", "artist", "owner", "admin")


def make_world() -> SimpleNamespace:
    """Create the users of CALLERS and two more, and the objects of `owner` under their names in the table."""
    world = SimpleNamespace(nothing=uuid4())
    make_people(world)
    make_catalogue(world)
    make_files(world)
    make_plans(world)
    return world


def make_people(world: SimpleNamespace) -> None:
    world.listener = person("listener")
    world.artist = person("artist", role="artist")
    world.owner = person("owner", role="artist")
    world.admin = person("admin", is_staff=True, is_superuser=True)
    world.suspended = person("suspended", role="artist", is_active=False)
    world.member = person("member")
    world.session, _ = AuthToken.objects.create(world.owner)


def person(username: str, **fields: Any) -> User:
    return User.objects.create_user(f"{username}@example.com", username, PASSWORD, **fields)


def make_catalogue(world: SimpleNamespace) -> None:
    world.genre = Genre.objects.create(title="Unused", maker=world.owner)
    world.used_genre = Genre.objects.create(title="Used by others", maker=world.owner)
    world.imported_genre = Genre.objects.create(title="Nobody's")
    world.album = Album.objects.create(title="An album", artist=world.owner)
    world.private_album = Album.objects.create(title="A private album", artist=world.owner)
    world.song = song(world.owner, album=world.album)
    world.private_song = song(world.owner, visibility="private", album=world.private_album)
    world.hidden_song = song(world.owner, is_hidden=True)
    world.suspended_song = song(world.suspended)
    world.silent_song = song(world.owner)
    song(world.artist, genre=world.used_genre)
    for heard in (world.song, world.private_song, world.hidden_song, world.suspended_song):
        give_audio(heard)
        AudioAnalysis.objects.create(song=heard, source=heard.audio_file.name, status="ready", waveform=bytes(POINTS))


def song(artist: User, **fields: Any) -> Song:
    made = Song.objects.create(title="A song", artist=artist, **fields)
    SongCounts.objects.create(song=made)
    return made


def make_files(world: SimpleNamespace) -> None:
    world.ad = Ad.objects.create(name="An ad", audio=ContentFile(b"0123456789", "ad.mp3"))
    world.image = default_storage.save(f"covers/{uuid4()}.jpg", ContentFile(b"0123456789"))
    proof = ContentFile(b"%PDF-1.4", "proof.pdf")
    world.application = StudentApplication.objects.create(user=world.member, document=proof)


def make_plans(world: SimpleNamespace) -> None:
    """Give `owner` and `artist` a Family plan each, and `member` a seat on that of `owner`."""
    world.individual = SubscriptionPlan.objects.get(plan_type="individual")
    family, now = SubscriptionPlan.objects.get(plan_type="family"), timezone.now()
    for payer in (world.owner, world.artist):
        name = f"sub_{payer.username}"
        plan = Subscription.objects.create(user=payer, plan=family, stripe_id=name, status="active", started_at=now)
    plan = Subscription.objects.get(user=world.owner)
    world.seat = Membership.objects.create(
        subscription=plan, user=world.member, email=world.member.email, joined_at=now
    )


def clients_of(world: SimpleNamespace) -> dict[str, APIClient]:
    """Return a client for each caller, with a token for the API and a session for the pages."""
    return {caller: client_of(getattr(world, caller, None)) for caller in CALLERS}


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user:
        client.force_login(user)
        _, token = AuthToken.objects.create(user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def address_of(path: str, world: SimpleNamespace) -> str:
    """Return the path of a row with the id of the object that it names."""
    return path.format_map({name: getattr(value, "pk", value) for name, value in vars(world).items()})


def body_for(path: str, world: SimpleNamespace) -> dict[str, Any]:
    """Return a valid body for the path, so that the status depends on the caller alone."""
    link = parse_qs(urlsplit(reset_link(world.owner)).query)
    bodies: dict[str, dict[str, Any]] = {
        "/api/users": {"email": "new@example.com", "password": "a hundred years of rain"},
        "/api/login": {"email": "owner@example.com", "password": PASSWORD},
        "/accounts/login": {"username": "owner@example.com", "password": PASSWORD},
        "/admin/login/": {"username": "admin@example.com", "password": PASSWORD},
        "/api/password/change": {"old_password": PASSWORD, "new_password": "a hundred years of rain"},
        "/api/password/reset": {"email": "owner@example.com"},
        "/api/password/reset/confirm": {
            "uid": link["uid"][0],
            "token": link["token"][0],
            "new_password": "a hundred years of rain",
        },
        "/api/email/change": {"email": "another@example.com", "password": PASSWORD},
        "/api/email/verify": {"token": "a token that is none"},
        "/api/profile": {"name": "Another name", "password": PASSWORD},
        "/api/songs": {"audio_file": ContentFile(audio_sample("mp3"), "song.mp3")},
        "/api/subscriptions/subscribe": {"plan_id": world.individual.pk},
        "/api/subscriptions/checkout": {"plan_id": world.individual.pk},
        "/api/subscriptions/join": {"token": "an invitation that is none"},
        "/api/subscriptions/members": {"email": "friend@example.com"},
        "/api/subscriptions/student": {"school_email": "someone@university.example"},
    }
    return bodies.get(path, {"title": "Another title"})
