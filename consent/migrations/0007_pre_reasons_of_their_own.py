from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_care_staff"),
        ("consent", "0006_kept_six_years"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="suppression",
            name="consent_suppression_once",
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                condition=models.Q(("released_at", None)),
                fields=("organisation", "channel", "address_hash", "purpose", "topic", "reason"),
                name="consent_suppression_once",
            ),
        ),
    ]
