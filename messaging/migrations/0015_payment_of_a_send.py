import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("messaging", "0014_undelivered"),
    ]

    operations = [
        migrations.CreateModel(
            name="SendPayment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.UUIDField()),
                ("step", models.CharField(blank=True, max_length=64)),
                ("paid", models.JSONField()),
                ("stated_by", models.CharField(max_length=64)),
                ("stated_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["source"], name="messaging_payment_source")],
            },
        ),
    ]
