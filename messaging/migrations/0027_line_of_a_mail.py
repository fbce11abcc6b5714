import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_care_staff"),
        ("messaging", "0026_held_reply"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="line",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=253)),
                ("tls", models.CharField(max_length=16)),
                ("cipher", models.CharField(max_length=64)),
                ("certificate", models.CharField(max_length=64)),
                ("issuer", models.CharField(blank=True, max_length=120)),
                ("expires_at", models.DateTimeField()),
                ("first_used_at", models.DateTimeField()),
                (
                    "organisation",
                    accounts.tenancy.OrganisationKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "host", "tls", "cipher", "certificate"),
                        name="messaging_line_once",
                    )
                ],
            },
        ),
    ]
