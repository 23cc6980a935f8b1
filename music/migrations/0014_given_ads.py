import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0013_uploads_of_a_day"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="GivenAd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("times", models.PositiveIntegerField(default=0)),
                ("impressions", models.PositiveIntegerField(default=0)),
                ("clicks", models.PositiveIntegerField(default=0)),
                (
                    "ad",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="given", to="music.ad"),
                ),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="given_ads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("listener", "ad"), name="one_row_per_listener_and_ad"),
                    models.CheckConstraint(
                        condition=models.Q(impressions__lte=models.F("times"), clicks__lte=models.F("times")),
                        name="ads_count_where_they_were_given",
                    ),
                ],
            },
        ),
    ]
