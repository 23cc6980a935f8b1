"""Names as filters and orderings compare them, after more accents are ignored than before."""

from django.db import migrations

from users.folding import fold_anew


def fold_names(apps: object, schema_editor: object) -> None:
    fold_anew(apps.get_model("users", "User"))


class Migration(migrations.Migration):
    dependencies = [("users", "0006_names_without_addresses")]

    operations = [migrations.RunPython(fold_names, migrations.RunPython.noop)]
