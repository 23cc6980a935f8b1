from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("users", "0003_confirmed_addresses"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="user",
            name="artists_by_date_joined",
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("role", "artist")), fields=["date_joined", "id"], name="artists_by_date_joined"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("role", "artist")), fields=["name_folded", "id"], name="artists_by_name_folded"
            ),
        ),
    ]
