from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Rename models and a field; their tables and columns keep their names, so the database has nothing to do."""

    dependencies = [("music", "0017_titles_folded_anew")]

    operations = [
        migrations.AlterModelTable("sound", "music_sound"),
        migrations.RenameModel("Sound", "AudioAnalysis"),
        migrations.AlterModelTable("adturn", "music_adturn"),
        migrations.RenameModel("AdTurn", "AdPlayCounter"),
        migrations.AlterModelOptions("audioanalysis", {"verbose_name_plural": "audio analyses"}),
        migrations.AlterField(
            "audioanalysis",
            "song",
            models.OneToOneField(
                on_delete=models.CASCADE, primary_key=True, related_name="analysis", serialize=False, to="music.song"
            ),
        ),
        migrations.AlterField(
            "adplaycounter",
            "listener",
            models.OneToOneField(
                on_delete=models.CASCADE,
                primary_key=True,
                related_name="ad_play_counter",
                serialize=False,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField("song", "card", models.TextField(db_column="card", editable=False, null=True)),
        migrations.RenameField("song", "card", "payload"),
    ]
