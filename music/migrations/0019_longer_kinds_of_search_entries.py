from typing import Any

from django.db import migrations, models


class AlterColumnOnPostgres(migrations.AlterField):
    """Change the column on PostgreSQL only.

    SQLite enforces no length, and Django would remake the table there, which drops the triggers that feed FTS5.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """Widen `SearchEntry.kind`, so that a kind may be called "playlist"."""

    dependencies = [("music", "0018_names_of_models")]

    operations = [
        AlterColumnOnPostgres(
            "searchentry",
            "kind",
            models.CharField(
                choices=[("song", "Song"), ("album", "Album"), ("artist", "Artist"), ("genre", "Genre")], max_length=20
            ),
        )
    ]
