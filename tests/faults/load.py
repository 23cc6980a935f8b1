"""Users who like, play, upload and browse, each in a thread, and record the answers."""

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests

from tests.faults.service import Service

SONGS = 400
TIMEOUT = 60
NO_ANSWER = 0
MIX = {"like": 30, "play": 30, "upload": 5, "look": 20, "stream": 10, "shelf": 5}
SHELVES = ("trending", "random", "recommendations", "search?q=song")


@dataclass(frozen=True)
class Outcome:
    """One request: its purpose, status (0: no answer), error code and times."""

    action: str
    status: int
    code: str
    began: float
    ended: float


@dataclass
class Memory:
    """The acknowledged state. None: no answer came, so the change may or may not have happened."""

    likes: dict[tuple[str, str], bool | None] = field(default_factory=dict)
    plays: dict[tuple[str, str], bool | None] = field(default_factory=dict)
    # By title, and what was sent under it as a digest.
    uploads: dict[str, bool | None] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    # Refused, or deleted since: not to be found.
    gone: set[str] = field(default_factory=set)


class Load:
    """Load that runs until the block ends: `with Load(service, people=12) as load:`."""

    def __init__(
        self,
        service: Service,
        *,
        people: int = 12,
        mix: dict[str, int] = MIX,
        audio_format: str = "mp3",
        seconds: float = 2,
    ) -> None:
        self.service, self.mix = service, mix
        self.outcomes: list[Outcome] = []
        self.memory = Memory()
        self.under_way: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.numbers = count()
        self.songs, self.streamable = stage(service)
        self.audio = audio(audio_format, seconds)
        self.people = [Person(self, token) for token in tokens(people)]

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=person.be_busy) for person in self.people]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def in_flight(self) -> Counter[str]:
        with self.lock:
            return +self.under_way

    def since(self, moment: float) -> list[Outcome]:
        """Return the outcomes of requests that began after this moment (`time.monotonic()`)."""
        return [outcome for outcome in self.outcomes if outcome.began >= moment]

    @contextmanager
    def counted(self, action: str):
        with self.lock:
            self.under_way[action] += 1
        try:
            yield
        finally:
            with self.lock:
                self.under_way[action] -= 1


class Person:
    """A listener and artist whose account no other thread uses, so the last answer is the current state."""

    def __init__(self, load: Load, token: str) -> None:
        self.load, self.token = load, token
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {self.token}"
        self.uploaded: dict[str, str] = {}
        self.unplayed = random.sample(load.songs, len(load.songs))
        self.actions: dict[str, Callable[[], int]] = {name: getattr(self, name) for name in load.mix}

    def be_busy(self) -> None:
        names, weights = list(self.load.mix), list(self.load.mix.values())
        while not self.load.over.is_set():
            status = self.actions[random.choices(names, weights)[0]]()
            # As clients do that meet a failure; the others keep the load bounded.
            time.sleep(0.2 if status == NO_ANSWER or status >= 500 else 0.02)

    def like(self) -> int:
        song = random.choice(self.load.songs[:40])
        likes, key = self.load.memory.likes, (self.token, song)
        action = "unlike" if likes.get(key) else "like"
        likes[key] = None
        answer = self.ask("like", "POST", f"/api/songs/{song}/{action}")
        if answer is not None and answer.ok:
            likes[key] = answer.json()["is_liked"]
        return status_of(answer)

    def play(self) -> int:
        song = self.unplayed.pop() if self.unplayed else random.choice(self.load.songs)
        plays, key = self.load.memory.plays, (self.token, song)
        before = plays.get(key)
        plays[key] = before
        answer = self.ask("play", "POST", f"/api/songs/{song}/play")
        if answer is not None and answer.ok:
            plays[key] = True
        return status_of(answer)

    def upload(self) -> int:
        title = f"Upload {self.token[:8]} {next(self.load.numbers)}"
        # Other bytes each time, so that no file can stand in for another.
        content = self.load.audio + title.encode()
        memory = self.load.memory
        memory.uploads[title], memory.sent[title] = None, digest(content)
        files = {"audio_file": ("song.mp3", content, "audio/mpeg")}
        answer = self.ask("upload", "POST", "/api/songs", data={"title": title}, files=files)
        if answer is not None and answer.ok:
            memory.uploads[title] = True
            self.uploaded[title] = answer.json()["id"]
        elif answer is not None and code_of(answer) == "storage_unavailable":
            memory.gone.add(title)
        return status_of(answer)

    def delete(self) -> int:
        """Delete one of the user's own songs, which later checks do not expect."""
        memory = self.load.memory
        mine = [title for title in self.uploaded if memory.uploads.get(title)]
        if not mine:
            return self.upload()
        title = random.choice(mine)
        song = self.uploaded.pop(title)
        memory.uploads[title] = None
        answer = self.ask("delete", "DELETE", f"/api/songs/{song}")
        if answer is not None and answer.ok:
            memory.gone.add(title)
        return status_of(answer)

    def look(self) -> int:
        song = random.choice(self.load.songs)
        return status_of(self.ask("look", "GET", random.choice(["/api/songs", f"/api/songs/{song}", "/api/profile"])))

    def shelf(self) -> int:
        return status_of(self.ask("shelf", "GET", f"/api/songs/{random.choice(SHELVES)}"))

    def stream(self) -> int:
        path = f"/api/songs/{self.load.streamable}/stream"
        return status_of(self.ask("stream", "GET", path, allow_redirects=False))

    def ask(self, action: str, method: str, path: str, **content: Any) -> requests.Response | None:
        began = time.monotonic()
        answer = None
        with self.load.counted(action):
            try:
                answer = self.session.request(method, self.load.service.url + path, timeout=TIMEOUT, **content)
            except requests.RequestException:
                self.session.close()
        self.load.outcomes.append(Outcome(action, status_of(answer), code_of(answer), began, time.monotonic()))
        return answer


def status_of(answer: requests.Response | None) -> int:
    return NO_ANSWER if answer is None else answer.status_code


def code_of(answer: requests.Response | None) -> str:
    """Return the error code of an answer, or the beginning of its text if it does not have the API's error shape."""
    if answer is None or answer.ok:
        return ""
    try:
        return answer.json()["errors"][0]["code"]
    except (ValueError, LookupError, TypeError):
        return answer.text[:80]


def digest(content: bytes) -> str:
    return hashlib.blake2b(content).hexdigest()


def audio(audio_format: str = "mp3", seconds: float = 2) -> bytes:
    """Return an MP3 of this many seconds with a cover; longer ones take a worker longer."""
    from music.tests.samples import audio_sample, image_sample

    return audio_sample(audio_format, seconds, cover=image_sample())


def stage(service: Service) -> tuple[list[str], str]:
    """Return the ids of songs without audio to like and play and of one to stream, created once in a service."""
    from django.core.files.base import ContentFile

    from music.catalogue.publication import Recording, publish_song
    from music.models import Song, SongCounts
    from users.models import Role, User

    owner = User.objects.filter(username="owner").first()
    if owner is None:
        owner = User.objects.create_user("owner@example.com", "owner", role=Role.ARTIST)
        songs = Song.objects.bulk_create(Song(title=f"Song {number}", artist=owner) for number in range(SONGS))
        SongCounts.objects.bulk_create(SongCounts(song=song) for song in songs)
        publish_song(artist=owner, recording=Recording.inspected(ContentFile(audio(), "heard.mp3")), title="Heard")
    songs = list(Song.objects.filter(artist=owner, audio_file="").values_list("pk", flat=True))
    return [str(song) for song in songs], str(Song.objects.exclude(audio_file="").filter(artist=owner).get().pk)


def tokens(people: int) -> list[str]:
    from users.models import AuthToken, Role, User

    made = []
    for _ in range(people):
        name = f"person{User.objects.count()}"
        user = User.objects.create_user(f"{name}@example.com", name, role=Role.ARTIST)
        made.append(AuthToken.objects.create(user)[1])
    return made
