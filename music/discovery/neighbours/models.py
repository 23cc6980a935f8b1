from django.db import models


class ItemKind(models.TextChoices):
    SONG = "song"
    ARTIST = "artist"


class Neighbour(models.Model):
    """Who listens to the item is likely to like the neighbour. Rebuilt as a whole, so it has no foreign keys."""

    pk = models.CompositePrimaryKey("kind", "item", "neighbour")
    kind = models.CharField(max_length=10, choices=ItemKind)
    item = models.UUIDField()
    neighbour = models.UUIDField()
    weight = models.FloatField()
    built_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.item} → {self.neighbour}: {self.weight:.3f}"
