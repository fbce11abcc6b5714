import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("workflows", "0002_simulations"),
    ]

    operations = [
        migrations.AddField(
            model_name="enrolment",
            name="reached",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="object_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="object_told_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="StaffTask",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("enrolment_id", models.BigIntegerField()),
                ("workflow_id", models.UUIDField()),
                ("contact_id", models.BigIntegerField()),
                ("node", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("done", "Done"),
                            ("failed", "Not done"),
                            ("overdue", "Time over"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=64)),
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
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["organisation", "due_at", "id"],
                        name="workflows_staff_task_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("enrolment_id", "node"), name="workflows_staff_task_once"
                    )
                ],
            },
        ),
    ]
