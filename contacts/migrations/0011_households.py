"""Who lives together, and who may act for whom."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0010_merges"),
    ]

    operations = [
        migrations.CreateModel(
            name="Household",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("made_at", models.DateTimeField()),
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
            name="HouseholdMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "household_id",
                        "contact_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("contact_id", models.BigIntegerField()),
                ("joined_at", models.DateTimeField()),
                (
                    "household",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="contacts.household",
                    ),
                ),
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
                "indexes": [models.Index(fields=["contact_id"], name="contacts_household_of")],
            },
        ),
        migrations.CreateModel(
            name="Representation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("contact_id", models.BigIntegerField()),
                ("holder_id", models.BigIntegerField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("parent", "Parent of a minor"),
                            ("guardian", "Guardian of a minor"),
                            ("representative", "Personal representative"),
                            ("executor", "Executor or administrator after death"),
                        ],
                        max_length=14,
                    ),
                ),
                ("payload", models.BinaryField()),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                ("source", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(fields=["contact_id"], name="contacts_represented"),
                    models.Index(fields=["holder_id"], name="contacts_representing"),
                ],
            },
        ),
    ]
