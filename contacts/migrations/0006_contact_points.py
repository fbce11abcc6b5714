"""Addresses of people beyond those that their records hold."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0005_code_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("contact_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("phone", "Phone"),
                            ("postal", "Postal address"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("home", "Home"),
                            ("work", "Work"),
                            ("mobile", "Mobile"),
                            ("temp", "Temporary"),
                            ("billing", "Billing"),
                            ("old", "Old"),
                        ],
                        default="home",
                        max_length=8,
                    ),
                ),
                ("rank", models.PositiveSmallIntegerField(default=1)),
                ("preferred", models.BooleanField(default=False)),
                ("confidential", models.BooleanField(default=False)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unverified", "Not verified"),
                            ("verified", "Verified"),
                            ("bounced", "Bounced"),
                        ],
                        default="unverified",
                        max_length=12,
                    ),
                ),
                (
                    "verified_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("double_opt_in", "Confirmed by the person"),
                            ("staff", "Checked by staff"),
                            ("ehr", "Checked by the source"),
                        ],
                        max_length=14,
                    ),
                ),
                ("verified_at", models.DateTimeField(null=True)),
                ("value_index", models.BinaryField(null=True)),
                ("payload", models.BinaryField()),
                ("source", models.CharField(max_length=200)),
                ("known_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
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
                    models.Index(fields=["contact_id"], name="contacts_points_of"),
                    models.Index(
                        condition=models.Q(("value_index__isnull", False)),
                        fields=["organisation", "value_index"],
                        name="contacts_points_by_value",
                    ),
                ],
            },
        ),
    ]
