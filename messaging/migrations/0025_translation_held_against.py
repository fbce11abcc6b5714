from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0024_answers_may_be_a_no"),
    ]

    operations = [
        migrations.AddField(
            model_name="translation",
            name="main",
            field=models.JSONField(null=True),
        ),
    ]
