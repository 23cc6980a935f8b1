"""A reproducible catalogue of any size, copied into a freshly migrated PostgreSQL database.

n songs come with n/10 albums and n/100 artists. Names are drawn from a vocabulary in which few words are common and
most are rare; play counts are as skewed. Every song has the same audio file.
"""

import io
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from knox.crypto import hash_token

from music.catalogue import totals
from music.discovery.neighbours.models import ItemKind
from music.discovery.search.spelling import word_terms
from music.discovery.search.terms import entry_terms, unspaced_text
from music.discovery.search.words import normalized
from music.models import (
    Album,
    ArtistCounts,
    ArtistFollow,
    FavoriteSong,
    Genre,
    Neighbour,
    Play,
    RecentlyPlayed,
    SearchEntry,
    SearchWord,
    Song,
    SongCounts,
    SongLike,
    Trend,
)
from users.models import AuthToken, User, UserProfile

Row = dict[str, Any]

VOCABULARY = 30_000
GENRES = 40
LISTENERS = 3000
ACTIVE = 200  # listeners with a history
ACTIONS = 50  # songs that each active listener has played; half are liked, a quarter favorites
NEIGHBOURS = 50
SONGS_WITH_NEIGHBOURS = 10_000
CHUNK = 20_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUDIO_KEY = "audio/00000000-0000-4000-8000-000000000000.mp3"
SYLLABLES = [
    c + v
    for c in ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "sh"]
    for v in ["a", "e", "i", "o", "u", "ai"]
]


def token_of(listener: int) -> str:
    return f"benchmark-token-of-listener-{listener:04}"


class Catalogue:
    def __init__(self, songs: int):
        self.chance = random.Random(1)  # noqa: S311
        self.words = self._vocabulary()
        self.odds = list(accumulate(1 / (place + 20) for place in range(VOCABULARY)))
        self.artists = [(self.id(), self.name(most=3)) for _ in range(max(songs // 100, 10))]
        self.albums = [(self.id(), self.name(most=4), place % len(self.artists)) for place in range(songs // 10)]
        self.genres = [(self.id(), f"{self.name(most=1)} {place}") for place in range(GENRES)]
        self.listeners = [self.id() for _ in range(LISTENERS)]
        self.songs = [self.id() for _ in range(songs)]

    def id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def name(self, *, most: int) -> str:
        words = self.chance.choices(self.words, cum_weights=self.odds, k=self.chance.randint(1, most))
        return " ".join(words).capitalize()

    def fill(self) -> None:
        """Fill all tables. Foreign keys are not checked and indexes are built last, so a million songs take minutes."""
        indexes = _run("""
            SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename ~ '^(music|users)_'
            AND indexname NOT IN (SELECT conname FROM pg_constraint)""")
        for name, _ in indexes:
            _run(f'DROP INDEX "{name}"')
        _run("ALTER TABLE music_song ENABLE ALWAYS TRIGGER music_card; SET session_replication_role = replica")
        self._fill_tables()
        _run("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            _run(definition)
        for statement in totals.FILL:
            _run(statement)
        _run("SET session_replication_role = origin; ALTER TABLE music_song ENABLE TRIGGER music_card")
        _run("VACUUM ANALYZE")

    def _fill_tables(self) -> None:
        accounts = [*self.artists, *((pk, f"Listener {place}") for place, pk in enumerate(self.listeners))]
        artists = len(self.artists)
        copy(User, (self._account(*account, place < artists) for place, account in enumerate(accounts)))
        copy(
            UserProfile,
            (
                _timed(self.id(), user_id=pk, profile_picture="", audio_quality="medium", offline_mode=False)
                for pk, _ in accounts
            ),
        )
        copy(AuthToken, (self._token(place, pk) for place, pk in enumerate(self.listeners)))
        copy(ArtistCounts, ({"artist_id": pk, "follower_count": place} for place, (pk, _) in enumerate(self.artists)))
        copy(Genre, (_timed(pk, **_title(title), title_key=title.lower()) for pk, title in self.genres))
        copy(Album, (self._album(place, *album) for place, album in enumerate(self.albums)))
        places = iter(range(len(self.songs)))
        while chunk := list(islice(places, CHUNK)):
            self._fill_songs(chunk)
        copy(SearchEntry, self._other_entries())
        copy(SearchWord, ({"word": word, "terms": " ".join(word_terms(word))} for word in self.words))
        self._fill_listening()

    def _fill_songs(self, places: list[int]) -> None:
        songs = [self._song(place) for place in places]
        copy(Song, songs)
        copy(SongCounts, ({**_counts(place), "song_id": self.songs[place]} for place in places))
        copy(Trend, ({**_trend(place), "song_id": self.songs[place]} for place in places))
        copy(SearchEntry, (self._song_entry(place, song) for place, song in zip(places, songs, strict=True)))

    def _fill_listening(self) -> None:
        played = [
            (listener, song) for listener in self.listeners[:ACTIVE] for song in self.chance.sample(self.songs, ACTIONS)
        ]
        timed = [(_timed(self.id(), listener_id=listener, song_id=song)) for listener, song in played]
        copy(SongLike, timed[::2])
        copy(FavoriteSong, timed[1::4])
        copy(RecentlyPlayed, ({**row, "last_played_at": NOW, "last_counted_at": NOW} for row in timed))
        copy(Play, ({"listener_id": listener, "song_id": song, "at": NOW} for listener, song in played))
        follows = (
            (listener, artist)
            for listener in self.listeners[:ACTIVE]
            for artist, _ in self.chance.sample(self.artists, 5)
        )
        copy(ArtistFollow, (_timed(self.id(), follower_id=listener, artist_id=artist) for listener, artist in follows))
        copy(Neighbour, self._neighbours({song for _, song in played}))

    def _vocabulary(self) -> list[str]:
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(self.chance.choices(SYLLABLES, k=self.chance.choice((2, 2, 3, 3, 4))))] = None
        return list(words)

    def _account(self, pk: UUID, name: str, is_artist: bool) -> Row:
        return _timed(
            pk,
            password="!",  # noqa: S106  (nobody logs in with one)
            is_superuser=False,
            username=pk.hex,
            username_key=pk.hex,
            name=name,
            name_folded=name.lower(),
            role="artist" if is_artist else "user",
            is_staff=False,
            is_active=True,
            date_joined=NOW,
        )

    def _token(self, place: int, user: UUID) -> Row:
        token = token_of(place)
        used = datetime.now(UTC)
        expiry = used + timedelta(days=30)
        known = {"token_key": token[:8], "digest": hash_token(token), "device": "", "last_used_at": used}
        return {"id": self.id(), "user_id": user, "created": used, "expiry": expiry, **known}

    def _album(self, place: int, pk: UUID, title: str, artist: int) -> Row:
        cover = f"covers/{pk}.jpg" if place % 2 else ""
        return _timed(
            pk, place, **_title(title), artist_id=self.artists[artist][0], release_date=_day(place), cover_image=cover
        )

    def _song(self, place: int) -> Row:
        album, _, artist = self.albums[place % len(self.albums)]
        title = self.name(most=4)
        return _timed(
            self.songs[place],
            place,
            **_title(title),
            artist_id=self.artists[artist][0],
            album_id=album,
            genre_id=self.genres[place % GENRES][0],
            track_number=place // len(self.albums) + 1,
            duration=180 + place % 120,
            release_date=_day(place) if place % 20 else None,
            explicit=place % 10 == 0,
            visibility="public" if place % 50 else "private",
            is_hidden=False,
            licensing_info="",
            audio_file=AUDIO_KEY,
            audio_format="mp3",
            audio_bytes=5 * 2**20,
            bitrate=128,
        )

    def _song_entry(self, place: int, song: Row) -> Row:
        _, album, artist = self.albums[place % len(self.albums)]
        others = (album, self.genres[place % GENRES][1])
        plays = _counts(place)["play_count"]
        return _entry("song", song["id"], song["title"], self.artists[artist][1], *others, plays=plays)

    def _other_entries(self) -> Iterator[Row]:
        for pk, title, artist in self.albums:
            yield _entry("album", pk, title, self.artists[artist][1])
        for pk, name in self.artists:
            yield _entry("artist", pk, name, "")
        for pk, title in self.genres:
            yield _entry("genre", pk, title, "")

    def _neighbours(self, played: set[UUID]) -> Iterator[Row]:
        items = sorted(played)[:SONGS_WITH_NEIGHBOURS]
        for item in items:
            near = self.chance.sample(self.songs, NEIGHBOURS)
            for place, neighbour in enumerate(near):
                pair = {"item": item, "neighbour": neighbour, "weight": 1 / (place + 1)}
                yield {"kind": ItemKind.SONG.value, **pair, "built_at": NOW}


def _run(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def copy(model: type[Model], rows: Iterable[Row]) -> None:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        text = "".join(
            "\t".join("\\N" if value is None else str(value) for value in row.values()) + "\n" for row in chunk
        )
        sql = f"COPY {model._meta.db_table} ({', '.join(chunk[0])}) FROM STDIN"
        with connection.cursor() as cursor:
            cursor.copy_expert(sql, io.StringIO(text))


def _timed(pk: UUID, place: int = 0, **columns: Any) -> Row:
    at = NOW - timedelta(seconds=place, microseconds=place % 1000)
    return {"id": pk, "created_at": at, "updated_at": at, **columns}


def _title(title: str) -> Row:
    return {"title": title, "title_folded": title.lower()}


def _day(place: int) -> str:
    return f"{1960 + place % 66}-{place % 12 + 1:02}-{place % 28 + 1:02}"


def _counts(place: int) -> Row:
    plays = 50_000_000 // (place + 10)
    return {"play_count": plays, "like_count": plays // 20, "starting_play_count": plays}


def _trend(place: int) -> Row:
    plays = _counts(place)["play_count"]
    return {
        "overall": plays / 10,
        "month": plays / 100 if place % 10 == 0 else 0,
        "week": plays / 400 if place % 50 == 0 else 0,
    }


def _entry(kind: str, pk: UUID, name: str, credit: str, *others: str, plays: int | None = None) -> Row:
    terms = entry_terms(kind, plays, name, credit, *others)
    shown = {"name": normalized(name), "credit": normalized(credit), "text": unspaced_text(name, credit, *others)}
    return {"kind": kind, "object_id": pk, "terms": terms, **shown}
