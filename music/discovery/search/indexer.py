"""The index follows what it is made of, in the transaction that changes it.

Receivers of Django's signals for single rows, and of `songs_added` for what an import adds (see music/apps.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection, connections, transaction
from django.db.models import Model, QuerySet

from core.jobs.retries import retried_task
from music.catalogue.models import Album, Genre, Song
from music.discovery.search.index import forget_removed_terms
from music.discovery.search.models import Kind, SearchEntry, SearchWord
from music.discovery.search.spelling import typos_at_most, word_terms
from music.discovery.search.terms import entry_terms, unspaced_text, words_of
from music.discovery.search.words import UNSPACED, spoken
from users.models import Role, User
from users.people import public_username

BATCH = 500


class Source(NamedTuple):
    """Where the texts of an entry come from: its name, that of its artist, and whatever else it is found by."""

    kind: Kind
    columns: list[str]
    made_of: set[str]

    def texts(self, row: dict[str, Any]) -> list[str]:
        texts = {**row, "username": public_username(row["username"])} if "username" in row else row
        return [texts[column] or "" if column else "" for column in self.columns]


SOURCES = {
    Song: Source(
        Kind.SONG,
        ["title", "artist__name", "album__title", "genre__title"],
        {"title", "artist", "artist_id", "album", "album_id", "genre", "genre_id"},
    ),
    Album: Source(Kind.ALBUM, ["title", "artist__name"], {"title", "artist", "artist_id"}),
    User: Source(Kind.ARTIST, ["name", "", "username"], {"name", "username", "role"}),
    Genre: Source(Kind.GENRE, ["title", ""], {"title"}),
}


def reindex_saved_row(
    sender: type[Model], instance: Any, created: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """Receiver for post_save of everything that can be found."""
    if update_fields is not None and not SOURCES[sender].made_of & update_fields:
        return
    with transaction.atomic():
        if created or sender is Song:
            _wait_for_renaming()
            index(sender, [instance.pk])
        elif not _is_indexed(sender, instance.pk):
            _keep_others_waiting()
            index(sender, [instance.pk])
            index(Song, _ids(instance.songs))
            if sender is User:
                index(Album, _ids(instance.albums))


def index_added_songs(songs: Sequence[Song], **kwargs: Any) -> None:
    """Receiver for songs_added: the songs, and whatever they name, where it is not there yet."""
    found = {
        User: {song.artist_id for song in songs},
        Album: {song.album_id for song in songs} - {None},
        Genre: {song.genre_id for song in songs} - {None},
        Song: {song.pk for song in songs},
    }
    with transaction.atomic():
        _wait_for_renaming()
        for model, ids in found.items():
            known = SearchEntry.objects.filter(object_id__in=ids).values_list("object_id", flat=True)
            index(model, sorted(ids - set(known)))


def prepare_unindexing(instance: Any, **kwargs: Any) -> None:
    """Receiver for pre_delete of albums and genres, whose songs stay."""
    instance.songs_to_index = _ids(instance.songs)


def unindex_deleted_row(instance: Any, **kwargs: Any) -> None:
    """Receiver for post_delete."""
    was_found, _ = SearchEntry.objects.filter(object_id=instance.pk).delete()
    index(Song, getattr(instance, "songs_to_index", []))
    if was_found and isinstance(instance, User):
        # After commit, since whoever publishes waits meanwhile. Words of works have until the next pruning.
        forget_words.enqueue(sorted(words_of(instance.name) | words_of(instance.username)))


@retried_task()
def forget_words(words: list[str]) -> None:
    """Those that are in no name any more."""
    _forget_unused(SearchWord.objects.filter(word__in=words))
    forget_removed_terms()


def prune_words() -> Iterator[int]:
    """All that are in no name any more; how many, batch by batch."""
    last = 0
    while batch := list(SearchWord.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = batch[-1]
        yield _forget_unused(SearchWord.objects.filter(pk__in=batch))
    forget_removed_terms()


@transaction.atomic
def _forget_unused(words: QuerySet[SearchWord]) -> int:
    _keep_others_waiting()
    known = list(words.values_list("word", flat=True))
    unused = [word for word in known if not SearchEntry.objects.filter(terms__matches=word).exists()]
    SearchWord.objects.filter(word__in=unused).delete()
    return len(unused)


def rebuild() -> None:
    """The whole index anew, which also forgets words that are in no name any more."""
    with transaction.atomic():
        _keep_others_waiting()
        SearchEntry.objects.all().delete()
        SearchWord.objects.all().delete()
        for model in SOURCES:
            index(model, _ids(model._default_manager))


def after_migrate(using: str, **kwargs: Any) -> None:
    """Receiver for post_migrate: a database from before the column `text` gets its index anew."""
    with connections[using].cursor() as cursor:
        table = SearchEntry._meta.db_table
        if table not in connections[using].introspection.table_names(cursor):
            return
        columns = {column.name for column in connections[using].introspection.get_table_description(cursor, table)}
    if "text" in columns and SearchEntry.objects.using(using).filter(text=None).exists():
        rebuild()


def index(model: type[Model], ids: Sequence[Any]) -> None:
    """Make the entries of these rows what the rows are in the database now."""
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        rows = _rows(model, batch)
        gone = set(batch) - {row["pk"] for row in rows}
        if gone:
            SearchEntry.objects.filter(object_id__in=gone).delete()
        SearchEntry.objects.bulk_create(
            [_entry(model, row) for row in rows],
            update_conflicts=True,
            unique_fields=["object_id"],
            update_fields=["name", "credit", "terms", "text"],
        )
        _learn({word for row in rows for text in SOURCES[model].texts(row) for word in words_of(text)})


def _ids(rows: Any) -> list:
    return list(rows.values_list("pk", flat=True))


def _rows(model: type[Model], ids: Sequence[Any]) -> list[dict[str, Any]]:
    rows: QuerySet = User.objects.filter(role=Role.ARTIST) if model is User else model._default_manager.all()
    plays = ["counts__play_count"] if model is Song else []
    return list(rows.filter(pk__in=ids).values("pk", *plays, *filter(None, SOURCES[model].columns)))


def _entry(model: type[Model], row: dict[str, Any]) -> SearchEntry:
    source = SOURCES[model]
    name, credit, *others = source.texts(row)
    return SearchEntry(
        kind=source.kind,
        object_id=row["pk"],
        name=spoken(name),
        credit=spoken(credit),
        terms=entry_terms(source.kind, row.get("counts__play_count"), name, credit, *others),
        text=unspaced_text(name, credit, *others),
    )


def _is_indexed(model: type[Model], pk: Any) -> bool:
    """Whether the entry says what the row says. Somebody who is no artist has none."""
    stored = SearchEntry.objects.filter(object_id=pk)
    entries = [_entry(model, row) for row in _rows(model, [pk])]
    if not entries:
        return not stored.exists()
    return all(stored.filter(name=e.name, credit=e.credit, terms=e.terms, text=e.text).exists() for e in entries)


def _learn(words: set[str]) -> None:
    """Remember new words, so that misspellings of them are understood."""
    words = {word for word in words if typos_at_most(word) and not UNSPACED.search(word)}
    words -= set(SearchWord.objects.filter(word__in=words).values_list("word", flat=True))
    SearchWord.objects.bulk_create(
        # In order: of two transactions that learn the same words none waits for one that waits for it.
        [SearchWord(word=word, terms=" ".join(word_terms(word))) for word in sorted(words)],
        ignore_conflicts=True,
    )


def _wait_for_renaming() -> None:
    """Else a song that is published while its artist is renamed would keep the old name."""
    _lock("pg_advisory_xact_lock_shared")


def _keep_others_waiting() -> None:
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":  # on SQLite whoever writes is alone anyway
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(hashtext('music_searchentry'))")
