from __future__ import annotations

from django.db import migrations, models

import audit.models
import audit.settled
import crypto.fields
import crypto.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organisation_id", models.IntegerField()),
                ("number", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("last_txid", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("entries", models.IntegerField()),
                ("total", models.BigIntegerField()),
                ("content", models.BinaryField()),
                ("root", models.BinaryField()),
                ("previous", models.BinaryField()),
                ("hash", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
                ("key_version", models.PositiveSmallIntegerField()),
                ("signature", models.BinaryField()),
                ("hints", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation_id", "number"), name="batch_number"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("organisation_id", models.IntegerField()),
                ("contact_id", models.BigIntegerField(null=True)),
                ("count", models.IntegerField(default=1)),
                ("at", models.DateTimeField()),
                ("recipient", crypto.fields.SealedTextField()),
                ("address", crypto.fields.SealedTextField()),
                ("what", crypto.fields.SealedTextField()),
                ("purpose", models.CharField(max_length=60)),
                ("basis", models.CharField(max_length=60)),
                ("recorded_at", models.DateTimeField(db_default=audit.models.ClockTime())),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(max_length=100)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organisation_id", "contact_id", "at"], name="disclosure_contact"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "organisation_id",
                    models.IntegerField(db_default=audit.models.ActingOrganisation()),
                ),
                ("epoch", models.SmallIntegerField(db_default=0)),
                (
                    "txid",
                    audit.settled.TransactionNumberField(
                        db_default=audit.settled.CurrentTransaction(), editable=False
                    ),
                ),
                ("at", models.DateTimeField(db_default=audit.models.ClockTime())),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(max_length=100)),
                ("action", models.CharField(max_length=60)),
                ("subject", models.CharField(blank=True, default="", max_length=100)),
                ("outcome", models.CharField(default="done", max_length=100)),
                ("detail", models.TextField(default="{}")),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organisation_id", "epoch", "txid", "id"], name="entry_order"
                    ),
                    models.Index(fields=["organisation_id", "subject", "id"], name="entry_subject"),
                ],
            },
        ),
    ]
