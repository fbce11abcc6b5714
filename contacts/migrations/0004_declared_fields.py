"""Fields that an organisation adds, and the mark by which processes notice a change."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0003_merged_and_deceased"),
    ]

    operations = [
        migrations.CreateModel(
            name="FieldMark",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        default=accounts.tenancy.current,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.organisation",
                    ),
                ),
                ("mark", models.UUIDField(default=uuid.uuid4)),
            ],
        ),
        migrations.CreateModel(
            name="CustomField",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=47)),
                ("label", models.CharField(max_length=80)),
                ("type", models.CharField(max_length=20)),
                ("data_class", models.CharField(max_length=20)),
                ("labels", models.JSONField()),
                ("choices", models.JSONField(blank=True, default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "In use"),
                            ("archived", "Archived"),
                            ("deleted", "Deleted"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("swept", models.BigIntegerField(null=True)),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "key"), name="contacts_field_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "data_class__in",
                                [
                                    "identity",
                                    "contact_point",
                                    "demographic",
                                    "clinical",
                                    "coverage",
                                ],
                            )
                        ),
                        name="contacts_field_has_class",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "text",
                                    "number",
                                    "decimal",
                                    "boolean",
                                    "date",
                                    "time",
                                    "datetime",
                                    "choice",
                                    "choices",
                                    "coded",
                                ],
                            )
                        ),
                        name="contacts_field_has_type",
                    ),
                ],
            },
        ),
    ]
