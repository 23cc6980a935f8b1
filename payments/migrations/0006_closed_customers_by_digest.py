from hashlib import sha256

from django.db import migrations, models


def digest_ids(apps, schema_editor):
    closed = apps.get_model("payments", "ClosedCustomer")
    for customer in closed.objects.filter(customer_digest__startswith="cus_"):
        customer.customer_digest = sha256(customer.customer_digest.encode()).hexdigest()
        customer.save(update_fields=["customer_digest"])


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_students")]

    operations = [
        # The column keeps its name, so that a server of the version before can go on beside this one.
        migrations.AlterField(
            model_name="closedcustomer",
            name="stripe_customer_id",
            field=models.CharField(db_column="stripe_customer_id", max_length=255, unique=True),
        ),
        migrations.RenameField(model_name="closedcustomer", old_name="stripe_customer_id", new_name="customer_digest"),
        migrations.RunPython(digest_ids, migrations.RunPython.noop),
    ]
