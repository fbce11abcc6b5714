"""Which reply of the consent room an answer is, so that whoever answers decides it first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0023_domain_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="reply_id",
            field=models.UUIDField(null=True),
        ),
    ]
