"""Titles as filters and orderings compare them, after more accents are ignored than before."""

from django.db import migrations

from users.folding import fold_anew


def fold_titles(apps: object, schema_editor: object) -> None:
    for model in ("Genre", "Album", "Song"):
        fold_anew(apps.get_model("music", model))


class Migration(migrations.Migration):
    dependencies = [("music", "0016_found_by_text")]

    operations = [migrations.RunPython(fold_titles, migrations.RunPython.noop)]
