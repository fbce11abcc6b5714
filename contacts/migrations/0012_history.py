"""Where each value comes from, and what stood there before."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0011_households"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="origin_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Origin",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=200)),
                ("run", models.UUIDField(null=True)),
                ("mapping", models.CharField(blank=True, max_length=40)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(max_length=100)),
                ("at", models.DateTimeField()),
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
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ValueChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("contact_id", models.BigIntegerField()),
                ("data_class", models.CharField(max_length=16)),
                ("origin_id", models.BigIntegerField()),
                ("payload", models.BinaryField()),
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
                "indexes": [models.Index(fields=["contact_id", "-id"], name="contacts_changes_of")],
            },
        ),
    ]
