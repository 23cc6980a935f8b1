from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("music", "0011_pruned_plays")]

    operations = [
        migrations.AddField(
            "song",
            "disc_number",
            models.PositiveSmallIntegerField(
                null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(32767)]
            ),
        ),
    ]
