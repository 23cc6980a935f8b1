from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from users import folding


def fold_addresses(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Compute the keys anew. Of accounts that have one mailbox the first keeps it, the others keep their old keys."""
    users = apps.get_model("users", "User").objects.using(editor.connection.alias)
    beyond_ascii = users.filter(email__regex="[^ -~]").order_by("date_joined").values_list("pk", "email", "email_key")
    for pk, email, key in list(beyond_ascii):
        folded = folding.fold_address(email)
        if folded != key and not users.filter(email_key=folded).exists():
            users.filter(pk=pk).update(email_key=folded)


class Migration(migrations.Migration):
    dependencies = [("users", "0004_artists_by_their_orders")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "user",
                    "email_key",
                    folding.FoldedField(
                        editable=False,
                        fold=folding.fold_address,
                        max_length=400,
                        null=True,
                        source="email",
                        unique=True,
                    ),
                )
            ]
        ),
        migrations.RunPython(fold_addresses, migrations.RunPython.noop),
    ]
