from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0011_pruned_plays")]

    operations = [
        migrations.AddField("searchentry", "text", models.TextField(editable=False, null=True)),
    ]
