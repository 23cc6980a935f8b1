"""The search index as tables. The indexes over `terms` and their triggers are made in migrations 0004 and 0005."""

from typing import Any

from django.db import models


class TermsField(models.TextField):
    """Terms separated by spaces: a tsvector on PostgreSQL, on SQLite a text that an FTS5 table indexes."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class Kind(models.TextChoices):
    SONG = "song"
    ALBUM = "album"
    ARTIST = "artist"
    GENRE = "genre"


class SearchEntry(models.Model):
    """A song, album, artist or genre as search sees it."""

    # Wide enough for kinds to come, such as "playlist".
    kind = models.CharField(max_length=20, choices=Kind)
    # No foreign key: the row is in one of four tables. The receivers in indexer.py delete the entry with its row.
    object_id = models.UUIDField(unique=True)
    name = models.TextField()
    credit = models.TextField(blank=True)
    terms = TermsField()
    # The parts in scripts without spaces (terms.unspaced_text). Null marks an entry from before this column.
    text = models.TextField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "search entries"
        constraints = [models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="kind_is_known")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class SearchWord(models.Model):
    """A word of some name, with the deletion terms that find it when it is mistyped.

    A word stays when its last name goes, until the daily retention run (`prune_words`) deletes it.
    """

    word = models.CharField(max_length=100, unique=True)
    terms = TermsField()

    def __str__(self) -> str:
        return self.word
