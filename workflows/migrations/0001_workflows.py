import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids

REFUSE_CHANGE = """
create function workflows_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a published version never changes: publish another one'
        using errcode = 'restrict_violation';
end $$;
create trigger workflows_version_stays before update or delete on workflows_workflowversion
    for each row execute function workflows_refuse_change();
create trigger workflows_move_stays before update or delete on workflows_move
    for each row execute function workflows_refuse_change();
alter table workflows_enrolment set (fillfactor = 80);
alter table workflows_enrolment alter path set default '{}', alter waiting_for set default '',
    alter outcome set default '';
"""
ALLOW_CHANGE = "drop function workflows_refuse_change() cascade"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cursor",
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
                ("txid", models.BigIntegerField(default=0)),
                ("event_id", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Move",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "enrolment_id",
                        "node",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("enrolment_id", models.BigIntegerField()),
                ("version_id", models.UUIDField()),
                ("node", models.CharField(max_length=40)),
                ("way", models.CharField(max_length=8)),
                ("arrived_at", models.DateTimeField()),
                ("left_at", models.DateTimeField()),
                ("message_id", models.BigIntegerField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=accounts.tenancy.current,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80)),
                ("name", models.CharField(max_length=120)),
                ("draft", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("live", "Live"),
                            ("paused", "Paused"),
                            ("closed", "Closed to newcomers"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("listens_to", models.CharField(blank=True, default="", max_length=60)),
                ("listens_about", models.UUIDField(null=True)),
                ("lets_in_each", models.BooleanField(default=False)),
                ("takes_present", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
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
            name="WorkflowVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("graph", models.JSONField()),
                ("templates", models.JSONField()),
                ("path_classes", models.JSONField()),
                ("published_by", models.CharField(max_length=64)),
                ("published_at", models.DateTimeField()),
                (
                    "organisation",
                    accounts.tenancy.OrganisationKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="workflow",
            name="live",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="workflows.workflowversion",
            ),
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("workflow_id", models.UUIDField()),
                ("version_id", models.UUIDField()),
                ("contact_id", models.BigIntegerField()),
                ("occurrence", models.CharField(default="", max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("stopped", "Stopped")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("node", models.CharField(max_length=40)),
                (
                    "path",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("entered_at", models.DateTimeField()),
                ("arrived_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("waiting_for", models.CharField(default="", max_length=60)),
                ("outcome", models.CharField(default="", max_length=64)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=accounts.tenancy.current,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["organisation", "due_at"],
                        name="workflows_enrolment_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["contact_id"],
                        name="workflows_enrolment_of",
                    ),
                    models.Index(fields=["version_id", "node"], name="workflows_enrolment_place"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workflow_id", "contact_id", "occurrence"),
                        name="workflows_enrolment_once",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=models.UniqueConstraint(
                fields=("workflow", "number"), name="workflows_version_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.UniqueConstraint(
                fields=("organisation", "slug"), name="workflows_slug"
            ),
        ),
        migrations.RunSQL(REFUSE_CHANGE, ALLOW_CHANGE),
    ]
