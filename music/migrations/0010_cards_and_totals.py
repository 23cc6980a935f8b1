"""What the database keeps by triggers (music/catalogue/triggers.py): ready-made answers, and totals beside things."""

from django.db import migrations, models


def total() -> models.PositiveIntegerField:
    return models.PositiveIntegerField(default=0, db_default=0, editable=False)


class Migration(migrations.Migration):
    dependencies = [("music", "0009_neighbours")]

    operations = [
        migrations.AddField("song", "card", models.TextField(null=True, editable=False)),
        migrations.AddField("song", "is_public", models.BooleanField(null=True, editable=False)),
        migrations.AddField("album", "song_count", total()),
        migrations.AddField("album", "duration", total()),
        migrations.AddField("album", "songs_in_all", total()),
        migrations.AddField("artistcounts", "song_count", total()),
        migrations.AddField("artistcounts", "album_count", total()),
    ]
