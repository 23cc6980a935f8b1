from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0012_song_disc_number")]

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
