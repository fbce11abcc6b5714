"""Code groups and their versions, which nobody changes."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("contacts", "0004_declared_fields"),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeGroup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("starter", models.CharField(blank=True, default="", max_length=40)),
                ("version", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("archived_at", models.DateTimeField(null=True)),
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
            name="CodeGroupVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                ("codes", models.JSONField()),
                ("actor", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="contacts.codegroup",
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
        ),
        migrations.AddConstraint(
            model_name="codegroup",
            constraint=models.UniqueConstraint(
                condition=models.Q(("starter", ""), _negated=True),
                fields=("organisation", "starter"),
                name="contacts_code_group_starter",
            ),
        ),
        migrations.AddConstraint(
            model_name="codegroupversion",
            constraint=models.UniqueConstraint(
                fields=("group", "number"), name="contacts_code_group_number"
            ),
        ),
    ]
