"""What can be found, and by which terms; the databases index the terms (migrations 0004 and 0005)."""

from typing import Any

from django.db import models


class TermsField(models.TextField):
    """Terms with spaces between them: to PostgreSQL a tsvector, to SQLite a text that an FTS5 table indexes."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class Kind(models.TextChoices):
    SONG = "song"
    ALBUM = "album"
    ARTIST = "artist"
    GENRE = "genre"


class SearchEntry(models.Model):
    """A song, an album, an artist or a genre, as searches see it."""

    kind = models.CharField(max_length=6, choices=Kind)
    # No foreign key: it is the id of a row of one of four tables. `indexing` removes the entry with its row.
    object_id = models.UUIDField(unique=True)
    name = models.TextField()
    credit = models.TextField(blank=True)
    terms = TermsField()
    # What it says in scripts without spaces (terms.py). Null: an entry from before the column.
    text = models.TextField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "search entries"
        constraints = [models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="kind_is_known")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class SearchWord(models.Model):
    """A word that occurs in some name, with the misspellings it is found by. Words stay when names go."""

    word = models.CharField(max_length=100, unique=True)
    terms = TermsField()

    def __str__(self) -> str:
        return self.word
