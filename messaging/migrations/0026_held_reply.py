from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0025_translation_held_against"),
    ]

    operations = [
        migrations.AddField(
            model_name="pickup",
            name="held",
            field=models.BinaryField(db_default=b"", default=b""),
        ),
        migrations.AddField(
            model_name="pickup",
            name="held_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="pickup",
            name="held_until",
            field=models.DateTimeField(null=True),
        ),
    ]
