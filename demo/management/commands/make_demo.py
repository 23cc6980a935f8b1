import io
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from mutagen.id3 import APIC, ID3, TALB, TCON, TDRC, TIT2, TPE1, TRCK
from tqdm import tqdm

from demo.composition import Piece
from demo.covers import draw_cover
from demo.listeners import invite_listeners, subscribe_listeners
from demo.programme import ARTISTS, Artist, Release
from demo.synthesis import render_piece
from music.catalogue.ffmpeg import encode_mp3
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
            self.enliven(listener)
            self.stdout.write(f"The demo is already there. {log_in_with(PASSWORD)}, unless another one was set.")
            return
        if not (password or settings.DEBUG):
            raise CommandError("Anybody could log in as the demo's admin: set --password, or DEBUG to on.")
        password = password or PASSWORD
        publish_programme(password)
        if not User.objects.known_as(ADMIN).exists():
            User.objects.create_superuser(ADMIN, free_username("admin"), password, name="Demo Admin")
        # The listener comes last: an interrupted run leaves none, and the next one makes what is missing.
        listener = User.objects.create_user(LISTENER, free_username("listener"), password, name="Demo Listener")
        self.enliven(listener)
        self.stdout.write(log_in_with(password))

    def enliven(self, listener: User) -> None:
        invite_listeners(listener)
        if settings.STRIPE_API_BASE:
            for line in subscribe_listeners():
                self.stdout.write(line)


def log_in_with(password: str) -> str:
    return f"Log in as {LISTENER}, {ARTISTS[0].email} or {ADMIN} with the password {password}"


def publish_programme(password: str) -> None:
    accounts = {artist.email: account_of(artist, password) for artist in ARTISTS}
    tracks = [track for track in every_track() if not is_published(track, accounts)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        sounds = workers.map(render_piece, [piece for *_, piece in tracks])
        for track, sound in tqdm(zip(tracks, sounds, strict=True), "Making music", len(tracks), unit="song"):
            artist, release, _, piece = track
            file = ContentFile(tagged(encode_mp3(sound), track), name=f"{piece.title}.mp3")
            recording = Recording.inspected(file)
            publish_song(artist=accounts[artist.email], recording=recording, explicit=release.explicit)


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


def tagged(mp3: bytes, track: Track) -> bytes:
    """With title, artist, album, number, date, genre and cover in the file, as artists upload them."""
    artist, release, number, piece = track
    cover = draw_cover(release.cover, title=release.title, artist=artist.name)
    tags = ID3()
    for frame, text in (
        (TIT2, piece.title),
        (TPE1, artist.name),
        (TCON, piece.genre),
        (TDRC, release.released.isoformat()),
    ):
        tags.add(frame(encoding=3, text=text))
    if release.is_album:
        tags.add(TALB(encoding=3, text=release.title))
        tags.add(TRCK(encoding=3, text=f"{number}/{len(release.pieces)}"))
    tags.add(APIC(encoding=3, mime="image/png", type=3, data=cover))
    file = io.BytesIO(mp3)
    tags.save(file)
    return file.getvalue()
