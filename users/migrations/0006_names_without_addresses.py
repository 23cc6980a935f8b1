from django.db import migrations

from users.folding import fold_accents
from users.people import public_name

ROWS_AT_ONCE = 1000


def cut_addresses(apps, schema_editor):
    """Names that were filled with the account's e-mail address keep the part before the @."""
    users = apps.get_model("users", "User")._base_manager.using(schema_editor.connection.alias)
    # Names of imported artists, who have no e-mail, stay as the catalogue spells them.
    rows = users.filter(name__contains="@", email__isnull=False)
    for user in rows.only("pk", "name").iterator(ROWS_AT_ONCE):
        name = public_name(user.name)
        if name != user.name:
            # Skip the account if its owner renamed it since it was read.
            users.filter(pk=user.pk, name=user.name).update(name=name, name_folded=fold_accents(name))


class Migration(migrations.Migration):
    dependencies = [("users", "0005_addresses_by_a_label")]

    operations = [migrations.RunPython(cut_addresses, migrations.RunPython.noop)]
