from django.db import migrations, models

import music.discovery.search.models


class Migration(migrations.Migration):
    dependencies = [("music", "0004_trending")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("song", "Song"), ("album", "Album"), ("artist", "Artist"), ("genre", "Genre")],
                        max_length=6,
                    ),
                ),
                ("object_id", models.UUIDField(unique=True)),
                ("name", models.TextField()),
                ("credit", models.TextField(blank=True)),
                ("terms", music.discovery.search.models.TermsField()),
            ],
            options={
                "verbose_name_plural": "search entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["song", "album", "artist", "genre"])), name="kind_is_known"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=100, unique=True)),
                ("terms", music.discovery.search.models.TermsField()),
            ],
        ),
    ]
