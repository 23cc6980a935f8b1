from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from core.images.reencoder import reencode_image
from demo.composition import Piece
from demo.covers import draw_cover
from demo.listeners import invite_listeners, subscribe_listeners
from demo.programme import ARTISTS, Artist, Release
from demo.synthesis import render_piece
from music.catalogue.ffmpeg import encode_mp3
from music.catalogue.models import Song
from music.catalogue.publication import Recording, publish_song
from users.models import Role, User
from users.registration import free_username

LISTENER, ADMIN = "listener@example.com", "admin@example.com"
PASSWORD = "sing-along-42"  # noqa: S105

Track = tuple[Artist, Release, int, Piece]


class Command(BaseCommand):
    help = "Make the demo, once: artists with their music, a listener, an admin, and weeks of listening by others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", help=f"of all demo accounts; {PASSWORD} where DEBUG is on")

    def handle(self, *args: Any, password: str | None, **options: Any) -> None:
        if listener := User.objects.known_as(LISTENER).first():
            self.stdout.write("The demo is already there.")
            self.add_history(listener)
            # Another one may have been chosen when the demo was made.
            password = next((known for known in (password, PASSWORD) if known and listener.check_password(known)), None)
            self.print_accounts(password)
            return
        if not (password or settings.DEBUG):
            raise CommandError("The demo's password is published: set --password, or DEBUG=on.")
        password = password or PASSWORD
        publish_programme(password)
        if not User.objects.known_as(ADMIN).exists():
            User.objects.create_superuser(ADMIN, free_username("admin"), password, name="Demo Admin")
        # The listener comes last: an interrupted run leaves none, so the next run creates what is missing.
        listener = User.objects.create_user(LISTENER, free_username("listener"), password, name="Demo Listener")
        self.add_history(listener)
        self.print_accounts(password)

    def print_accounts(self, password: str | None) -> None:
        accounts = f"{LISTENER}, {ARTISTS[0].email} or {ADMIN}"
        self.stdout.write(f"Log in as {accounts} with the password {password or 'that was set when the demo was made'}")

    def add_history(self, listener: User) -> None:
        invite_listeners(listener)
        if settings.STRIPE_API_BASE:
            for line in subscribe_listeners():
                self.stdout.write(line)


def publish_programme(password: str) -> None:
    accounts = {artist.email: account_of(artist, password) for artist in ARTISTS}
    tracks = [track for track in every_track() if not is_published(track, accounts)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        sounds = workers.map(render_piece, [piece for *_, piece in tracks])
        for track, sound in tqdm(zip(tracks, sounds, strict=True), "Making music", len(tracks), unit="song"):
            publish_track(track, sound, accounts[track[0].email])


def publish_track(track: Track, sound: bytes, account: User) -> Song:
    """Publish a rendered piece (WAV) with the title, album, genre, date and cover of the programme."""
    artist, release, number, piece = track
    recording = Recording.inspected(ContentFile(encode_mp3(sound), name=f"{piece.title}.mp3"))
    drawing = draw_cover(release.cover, title=release.title, artist=artist.name)
    on_album = {"album_title": release.title, "track_number": number} if release.is_album else {}
    return publish_song(
        artist=account,
        recording=replace(recording, cover=reencode_image(ContentFile(drawing))),
        title=piece.title,
        genre=piece.genre,
        release_date=release.released,
        explicit=release.explicit,
        **on_album,
    )


def every_track() -> Iterator[Track]:
    for artist in ARTISTS:
        for release in artist.releases:
            for number, piece in enumerate(release.pieces, 1):
                yield artist, release, number, piece


def account_of(artist: Artist, password: str) -> User:
    account = User.objects.known_as(artist.email).first()
    return account or User.objects.create_user(
        artist.email, free_username(artist.name), password, name=artist.name, role=Role.ARTIST
    )


def is_published(track: Track, accounts: dict[str, User]) -> bool:
    artist, _, _, piece = track
    return accounts[artist.email].songs.filter(title=piece.title).exists()
