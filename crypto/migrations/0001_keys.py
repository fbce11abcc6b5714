from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("subject_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("organisation_id", models.IntegerField()),
                ("wrapped", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="InstallationKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pre-active", "Pre Active"),
                            ("active", "Active"),
                            ("deactivated", "Deactivated"),
                            ("destroyed", "Destroyed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("wrapped", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("deactivated_at", models.DateTimeField(null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("tokens", "Tokens"), ("trail", "Trail")], max_length=10
                    ),
                ),
                ("public", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("purpose", "version"), name="installation_key_version"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "active")),
                        fields=("purpose",),
                        name="installation_key_one_active",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrganisationKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pre-active", "Pre Active"),
                            ("active", "Active"),
                            ("deactivated", "Deactivated"),
                            ("destroyed", "Destroyed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("wrapped", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("deactivated_at", models.DateTimeField(null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
                ("organisation_id", models.IntegerField()),
                (
                    "purpose",
                    models.CharField(
                        choices=[("sealing", "Sealing"), ("index", "Index")], max_length=10
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation_id", "purpose", "version"),
                        name="organisation_key_version",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "active")),
                        fields=("organisation_id", "purpose"),
                        name="organisation_key_one_active",
                    ),
                ],
            },
        ),
    ]
