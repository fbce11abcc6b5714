from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0004_migrations_and_pauses"),
    ]

    operations = [
        migrations.AddField(
            model_name="workflow",
            name="comes_at",
            field=models.DateTimeField(null=True),
        ),
    ]
