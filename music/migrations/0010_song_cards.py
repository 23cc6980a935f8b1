"""What most answers show of a song, ready-made beside it, and whether everybody may hear it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0009_neighbours")]

    operations = [
        migrations.AddField("song", "card", models.TextField(null=True, editable=False)),
        migrations.AddField("song", "is_public", models.BooleanField(null=True, editable=False)),
    ]
