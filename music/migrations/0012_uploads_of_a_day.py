from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("music", "0011_pruned_plays"),
    ]

    operations = [
        migrations.AddField(
            model_name="artistcounts",
            name="uploads_on",
            field=models.DateField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="artistcounts",
            name="upload_count",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
