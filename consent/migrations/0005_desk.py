import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids

STAYS = """
create trigger consent_notice_stays before update or delete on consent_notice
    for each row execute function consent_refuse_change();
create trigger consent_noticereceipt_stays before update or delete on consent_noticereceipt
    for each row execute function consent_refuse_change();
create trigger consent_auditsample_stays before update or delete on consent_auditsample
    for each row execute function consent_refuse_change();
"""
LEAVES = """
drop trigger consent_notice_stays on consent_notice;
drop trigger consent_noticereceipt_stays on consent_noticereceipt;
drop trigger consent_auditsample_stays on consent_auditsample;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("consent", "0004_choices"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSample",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("seed", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("population", models.PositiveIntegerField()),
                ("filters", models.JSONField(default=dict)),
                ("sha256", models.BinaryField()),
                ("drawn_by", models.CharField(max_length=64)),
                ("drawn_at", models.DateTimeField()),
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
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("effective_on", models.DateField()),
                ("created_at", models.DateTimeField()),
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
                    "text",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, to="consent.formversion"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ImportedConsent",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("source", models.CharField(max_length=60)),
                ("number", models.CharField(max_length=64)),
                ("sha256", models.BinaryField()),
                ("contact_id", models.BigIntegerField()),
                (
                    "authorizations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "denied",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=32),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "faults",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), default=list, size=None
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reviewed_by", models.CharField(blank=True, default="", max_length=64)),
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
                        condition=models.Q(("superseded_at", None)),
                        fields=("organisation", "source", "number"),
                        name="consent_imported_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeReceipt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("contact_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("acknowledged", "Acknowledged in writing"),
                            ("not_obtained", "Asked for, not obtained"),
                        ],
                        max_length=16,
                    ),
                ),
                ("received_by", models.CharField(max_length=32)),
                ("given_on", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="consent.notice"
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
                "indexes": [models.Index(fields=["contact_id"], name="consent_notice_of")],
            },
        ),
        migrations.RunSQL(STAYS, LEAVES),
    ]
