from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0014_given_ads")]

    operations = [
        migrations.AddField("searchentry", "text", models.TextField(editable=False, null=True)),
    ]
