"""Two contacts as one person, and what is kept to take that back."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0009_segment_approvals"),
    ]

    operations = [
        migrations.AddField(
            model_name="identifier",
            name="origin",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="BeforeMerge",
            fields=[
                ("contact_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("identity", models.BinaryField(null=True)),
                ("contact_point", models.BinaryField(null=True)),
                ("demographic", models.BinaryField(null=True)),
                ("clinical", models.BinaryField(null=True)),
                ("coverage", models.BinaryField(null=True)),
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
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("survivor_id", models.BigIntegerField()),
                ("absorbed_id", models.BigIntegerField()),
                ("actor", models.CharField(max_length=80)),
                ("merged_at", models.DateTimeField()),
                ("mark", models.BigIntegerField()),
                ("lists", models.JSONField(default=dict)),
                ("carried", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, max_length=80)),
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
                "indexes": [models.Index(fields=["survivor_id"], name="contacts_merges_into")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)),
                        fields=("absorbed_id",),
                        name="contacts_absorbed_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MergeProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first_id", models.BigIntegerField()),
                ("second_id", models.BigIntegerField()),
                ("reason", models.CharField(max_length=24)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To review"),
                            ("merged", "Merged"),
                            ("different", "Not the same person"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, max_length=80)),
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
                    models.Index(fields=["organisation", "state", "id"], name="contacts_proposals")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("first_id", "second_id"), name="contacts_proposal_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SinceMerge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("owner_id", models.BigIntegerField()),
                ("said", models.BinaryField()),
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
                "indexes": [models.Index(fields=["owner_id", "id"], name="contacts_since_merge")],
            },
        ),
        migrations.RunSQL(
            # Reaches every partition; nothing is rewritten.
            "ALTER TABLE contacts_event ADD COLUMN through bigint",
            "ALTER TABLE contacts_event DROP COLUMN through",
        ),
    ]
