from django.db import models


class ItemKind(models.TextChoices):
    SONG = "song"
    ARTIST = "artist"


class Neighbour(models.Model):
    """A neighbour of an item: listeners of the item are likely to like it, the more the higher the weight.

    The table is rebuilt as a whole every hour, so it has no foreign keys.
    """

    pk = models.CompositePrimaryKey("kind", "item", "neighbour")
    kind = models.CharField(max_length=10, choices=ItemKind)
    item = models.UUIDField()
    neighbour = models.UUIDField()
    weight = models.FloatField()
    built_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.item} → {self.neighbour}: {self.weight:.3f}"
