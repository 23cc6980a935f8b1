from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from users import folding


def fold_addresses(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Compute the keys anew. Of seats of a plan that are one mailbox's, the others keep their old keys."""
    seats = apps.get_model("payments", "Membership").objects.using(editor.connection.alias)
    beyond_ascii = (
        seats.filter(email__regex="[^ -~]")
        .order_by("created_at")
        .values_list("pk", "subscription", "email", "email_key")
    )
    for pk, subscription, email, key in list(beyond_ascii):
        folded = folding.fold_address(email)
        if folded != key and not seats.filter(subscription=subscription, email_key=folded).exists():
            seats.filter(pk=pk).update(email_key=folded)


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_closed_customers_by_digest")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "membership",
                    "email_key",
                    folding.FoldedField(editable=False, fold=folding.fold_address, max_length=400, source="email"),
                )
            ]
        ),
        migrations.RunPython(fold_addresses, migrations.RunPython.noop),
    ]
