"""Receivers that keep the search index up to date, in the transaction that changes a song, album, artist or genre.

Django's signals report single rows, `songs_added` the songs of an import. music/apps.py connects the receivers.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection, connections, transaction
from django.db.models import Model, QuerySet

from core.jobs.retries import retried_task
from music.catalogue.models import Album, Genre, Song
from music.discovery.search.index import purge_deleted_terms
from music.discovery.search.models import Kind, SearchEntry, SearchWord
from music.discovery.search.spelling import distant_typos_allowed, word_terms
from music.discovery.search.terms import entry_terms, unspaced_text, words_of
from music.discovery.search.words import UNSPACED, normalized
from users.models import Role, User
from users.people import public_username

BATCH = 500


class Source(NamedTuple):
    """The columns that the entries of a kind are made of.

    `columns` gives the name, the artist's name ("" if there is none) and further texts that find the entry;
    `watched` are the model's fields whose change makes the entry stale.
    """

    kind: Kind
    columns: list[str]
    watched: set[str]

    def texts(self, row: dict[str, Any]) -> list[str]:
        """Return the texts of the row in the order of `columns`."""
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
    """Receiver for post_save of songs, albums, artists and genres."""
    if update_fields is not None and not SOURCES[sender].watched & update_fields:
        return
    with transaction.atomic():
        if created or sender is Song:
            _lock_shared()
            index(sender, [instance.pk])
        elif not _is_indexed(sender, instance.pk):
            # A new name is also in the entries of the songs and albums below it.
            _lock_exclusively()
            index(sender, [instance.pk])
            index(Song, _ids(instance.songs))
            if sender is User:
                index(Album, _ids(instance.albums))


def index_added_songs(songs: Sequence[Song], **kwargs: Any) -> None:
    """Receiver for songs_added: index the songs, and their artists, albums and genres that are not indexed yet."""
    added = {
        User: {song.artist_id for song in songs},
        Album: {song.album_id for song in songs} - {None},
        Genre: {song.genre_id for song in songs} - {None},
        Song: {song.pk for song in songs},
    }
    with transaction.atomic():
        _lock_shared()
        for model, ids in added.items():
            known = SearchEntry.objects.filter(object_id__in=ids).values_list("object_id", flat=True)
            index(model, sorted(ids - set(known)))


def remember_songs_to_reindex(instance: Any, **kwargs: Any) -> None:
    """Receiver for pre_delete of albums and genres: note their songs, which stay, while the rows still name them."""
    instance.songs_to_index = _ids(instance.songs)


def unindex_deleted_row(instance: Any, **kwargs: Any) -> None:
    """Receiver for post_delete: delete the entry, and index again the songs of a deleted album or genre."""
    was_indexed, _ = SearchEntry.objects.filter(object_id=instance.pk).delete()
    index(Song, getattr(instance, "songs_to_index", []))
    if was_indexed and isinstance(instance, User):
        # Names of people are personal data and go now; words of titles stay until the daily run (prune_words).
        # In a task, because the deletion of words takes the exclusive lock, which would make uploads wait.
        forget_words.enqueue(sorted(words_of(instance.name) | words_of(instance.username)))


@retried_task()
def forget_words(words: list[str]) -> None:
    """Delete those of the words that no entry contains any more."""
    _delete_unused(SearchWord.objects.filter(word__in=words))
    purge_deleted_terms()


def prune_words() -> Iterator[int]:
    """Delete all words that no entry contains any more. Yield how many, batch by batch."""
    last = 0
    while batch := list(SearchWord.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = batch[-1]
        yield _delete_unused(SearchWord.objects.filter(pk__in=batch))
    purge_deleted_terms()


@transaction.atomic
def _delete_unused(words: QuerySet[SearchWord]) -> int:
    # Without the lock, an entry committed between the check and the deletion would lose its words.
    _lock_exclusively()
    known = list(words.values_list("word", flat=True))
    unused = [word for word in known if not SearchEntry.objects.filter(terms__matches=word).exists()]
    SearchWord.objects.filter(word__in=unused).delete()
    return len(unused)


def rebuild() -> None:
    """Rebuild the whole index, including the known words."""
    with transaction.atomic():
        _lock_exclusively()
        SearchEntry.objects.all().delete()
        SearchWord.objects.all().delete()
        for model in SOURCES:
            index(model, _ids(model._default_manager))


def rebuild_outdated_index(using: str, **kwargs: Any) -> None:
    """Receiver for post_migrate: rebuild an index with entries from before the column `text`."""
    with connections[using].cursor() as cursor:
        table = SearchEntry._meta.db_table
        # After a migration backwards, the table or the column may be missing.
        if table not in connections[using].introspection.table_names(cursor):
            return
        columns = {column.name for column in connections[using].introspection.get_table_description(cursor, table)}
    if "text" in columns and SearchEntry.objects.using(using).filter(text=None).exists():
        rebuild()


def index(model: type[Model], ids: Sequence[Any]) -> None:
    """Create, update or delete the entries of these rows to match the database."""
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
        _add_words({word for row in rows for text in SOURCES[model].texts(row) for word in words_of(text)})


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
        name=normalized(name),
        credit=normalized(credit),
        terms=entry_terms(source.kind, row.get("counts__play_count"), name, credit, *others),
        text=unspaced_text(name, credit, *others),
    )


def _is_indexed(model: type[Model], pk: Any) -> bool:
    """Return whether the entry is up to date. A user who is no artist has none."""
    stored = SearchEntry.objects.filter(object_id=pk)
    entries = [_entry(model, row) for row in _rows(model, [pk])]
    if not entries:
        return not stored.exists()
    return all(stored.filter(name=e.name, credit=e.credit, terms=e.terms, text=e.text).exists() for e in entries)


def _add_words(words: set[str]) -> None:
    """Add new words to the vocabulary of spelling corrections."""
    words = {word for word in words if distant_typos_allowed(word) and not UNSPACED.search(word)}
    words -= set(SearchWord.objects.filter(word__in=words).values_list("word", flat=True))
    SearchWord.objects.bulk_create(
        # Sorted, so that two transactions that add the same words cannot deadlock.
        [SearchWord(word=word, terms=" ".join(word_terms(word))) for word in sorted(words)],
        ignore_conflicts=True,
    )


def _lock_shared() -> None:
    """Wait for renames to commit, and make later ones wait until this transaction ends.

    A song published while its artist is being renamed would otherwise be indexed under the old name.
    """
    _lock("pg_advisory_xact_lock_shared")


def _lock_exclusively() -> None:
    """Wait for all other writers of the index to commit, and make later ones wait."""
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(hashtext('music_searchentry'))")
