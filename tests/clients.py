"""Concurrent clients that list, search, listen, like and upload, and count the answers."""

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import aiohttp

PASSWORD = "long and winding road"
PATIENCE = aiohttp.ClientTimeout(total=60)


@dataclass
class Tally:
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    # Connections that broke before the answer came; and requests that the second server did not answer either.
    broken: int = 0
    unanswered: int = 0
    in_flight: int = 0
    server_errors: list[str] = field(default_factory=list)
    uploaded: int = 0

    def requests(self) -> int:
        return self.statuses.total()

    def percentile(self, share: float) -> float:
        return sorted(self.milliseconds)[int(share * (len(self.milliseconds) - 1))]


@dataclass
class Client:
    session: aiohttp.ClientSession
    servers: itertools.cycle
    tally: Tally
    token: str = ""
    songs: list[str] = field(default_factory=list)
    audible: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, counted: bool = True, **options: object) -> dict | None:
        """Send a request, and once more to the next server if the connection breaks. Return None on failure."""
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        for url in (next(self.servers), next(self.servers)):
            began = time.perf_counter()
            self.tally.in_flight += 1
            try:
                async with self.session.request(method, url + path, headers=headers, **options) as answer:
                    body = await answer.read()
                    is_json = answer.content_type == "application/json"
                    if counted:
                        self.note(answer.status, time.perf_counter() - began, f"{method} {path}")
                    return (await answer.json() if is_json and body else {}) if answer.status < 400 else None
            except (TimeoutError, aiohttp.ClientError):
                self.tally.broken += 1
            finally:
                self.tally.in_flight -= 1
        self.tally.unanswered += 1
        return None

    def note(self, status: int, seconds: float, what: str) -> None:
        self.tally.statuses[status] += 1
        self.tally.milliseconds.append(seconds * 1000)
        if status >= 500:
            self.tally.server_errors.append(f"{status} {what}")

    async def register(self, name: str, role: str = "user") -> None:
        account = {"email": f"{name}@example.com", "password": PASSWORD, "role": role}
        answer = await self.ask("POST", "/api/users", json=account, counted=False)
        assert answer, f"{name} could not register"
        self.token = answer["token"]

    async def upload(self, audio: bytes, title: str) -> None:
        form = aiohttp.FormData()
        form.add_field("audio_file", audio, filename=f"{title}.mp3", content_type="audio/mpeg")
        form.add_field("title", title)
        if answer := await self.ask("POST", "/api/songs", data=form):
            self.tally.uploaded += 1
            self.audible.append(answer["id"])

    def actions(self) -> list[tuple[int, Callable[[], Awaitable]]]:
        """Return the actions of a listener, each with its share in percent."""
        song, heard = (lambda: random.choice(self.songs)), (lambda: random.choice(self.audible))
        word = lambda: random.choice(("amber", "river song", "nigth", "glass w", "echo", "silver"))  # noqa: E731
        return [
            (22, lambda: self.ask("GET", "/api/songs")),
            (15, lambda: self.ask("GET", f"/api/songs/{song()}")),
            (10, lambda: self.ask("GET", "/api/songs/search", params={"q": word()})),
            (8, lambda: self.ask("GET", f"/api/songs/{heard()}/stream", headers={"Range": "bytes=0-65535"})),
            (5, lambda: self.ask("GET", "/api/songs/trending")),
            (5, lambda: self.ask("GET", "/api/albums")),
            (5, lambda: self.ask("GET", "/api/songs/recently_played")),
            (5, lambda: self.ask("GET", "/api/profile")),
            (12, lambda: self.ask("POST", f"/api/songs/{song()}/play")),
            (5, lambda: self.ask("POST", f"/api/songs/{song()}/like")),
            (3, lambda: self.ask("POST", f"/api/songs/{song()}/unlike")),
            (3, lambda: self.ask("POST", f"/api/songs/{song()}/favorite")),
            (2, lambda: self.ask("DELETE", f"/api/songs/{song()}/favorite")),
        ]

    async def listen(self, stopped: threading.Event) -> None:
        weights, actions = zip(*self.actions(), strict=True)
        while not stopped.is_set():
            await random.choices(actions, weights)[0]()


class Crowd:
    """Clients that work in a thread of their own while `with Crowd(urls, clients=16, audio=…) as crowd:` is open."""

    def __init__(self, urls: Iterable[str], *, clients: int, songs: list[str], audio: bytes, uploads_every: float = 0):
        self.urls, self.clients, self.songs, self.audio = list(urls), clients, songs, audio
        self.uploads_every = uploads_every
        self.tally = Tally()
        self.stopped, self.ready = threading.Event(), threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> "Crowd":
        self.thread.start()
        self.ready.wait()
        if self.failure:
            raise self.failure
        self.began = time.monotonic()
        return self

    def wait_until(self, second: float) -> None:
        """Sleep until this many seconds after the clients began."""
        time.sleep(max(0, self.began + second - time.monotonic()))

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def run(self) -> None:
        try:
            asyncio.run(self.work())
        except BaseException as error:
            self.failure = error
        finally:
            self.ready.set()

    async def work(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=PATIENCE) as session:
            artist = self.client(session)
            await artist.register("artist", "artist")
            # Hashing a password is slow on purpose, so some clients share an account, as devices do.
            listeners = [self.client(session) for _ in range(min(self.clients, 16))]
            for number, listener in enumerate(listeners):
                await listener.register(f"listener-{number}")
            await artist.upload(self.audio, "The first")
            crowd = [self.client(session) for _ in range(self.clients)]
            for member, listener in zip(crowd, itertools.cycle(listeners)):
                member.token, member.audible, member.songs = listener.token, artist.audible, self.songs
            self.ready.set()
            await asyncio.gather(*(member.listen(self.stopped) for member in crowd), self.publish(artist))

    def client(self, session: aiohttp.ClientSession) -> Client:
        start = random.randrange(len(self.urls))
        return Client(session, itertools.cycle(self.urls[start:] + self.urls[:start]), self.tally)

    async def publish(self, artist: Client) -> None:
        while self.uploads_every and not self.stopped.is_set():
            # Several at once, so that every worker has something to do.
            await asyncio.gather(*(artist.upload(self.audio, f"Take {number}") for number in range(3)))
            await asyncio.sleep(self.uploads_every)
