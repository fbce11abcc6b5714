import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.tenancy
import crypto.ids

REFUSE_CHANGE = """
create function consent_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% keeps what people said: rows are added, never changed or removed',
        tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger consent_entry_stays before update or delete on consent_entry
    for each row execute function consent_refuse_change();
create trigger consent_formversion_stays before update or delete on consent_formversion
    for each row execute function consent_refuse_change();

-- The other tables say what stands: a row may stop standing, once, and nothing else of it changes.
create function consent_refuse_rewriting() returns trigger language plpgsql as $$
declare
    ending text := tg_argv[0];
begin
    if tg_op = 'DELETE' or to_jsonb(old) ->> ending is not null
       or to_jsonb(old) - ending is distinct from to_jsonb(new) - ending then
        raise exception '% keeps what people said: only % may be set, and once',
            tg_table_name, ending using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger consent_authorization_stays before update or delete on consent_authorization
    for each row execute function consent_refuse_rewriting('revoked_at');
create trigger consent_optout_stays before update or delete on consent_optout
    for each row execute function consent_refuse_rewriting('lifted_at');
create trigger consent_suppression_stays before update or delete on consent_suppression
    for each row execute function consent_refuse_rewriting('released_at');
"""
ALLOW_CHANGE = """
drop function consent_refuse_change() cascade;
drop function consent_refuse_rewriting() cascade;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120)),
                ("language", models.CharField(max_length=16)),
                ("number", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("sha256", models.BinaryField()),
                ("states_remuneration", models.BooleanField(default=False)),
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
            ],
        ),
        migrations.CreateModel(
            name="Authorization",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("contact_id", models.BigIntegerField()),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                (
                    "classes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                ("signed_at", models.DateTimeField()),
                ("expires_on", models.DateField(null=True)),
                ("zone", models.CharField(default="UTC", max_length=64)),
                ("expires_event", models.CharField(blank=True, max_length=60)),
                ("states_remuneration", models.BooleanField(default=False)),
                ("received_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
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
                    "form_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="consent.formversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("contact_id", models.BigIntegerField(null=True)),
                ("address_hash", models.BinaryField(null=True)),
                ("channel", models.CharField(blank=True, max_length=16)),
                ("purpose", models.CharField(blank=True, max_length=32)),
                ("topic", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
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
            name="Suppression",
            fields=[
                (
                    "id",
                    models.UUIDField(default=crypto.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("channel", models.CharField(max_length=16)),
                ("address_hash", models.BinaryField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("hard_bounce", "Hard Bounce"),
                            ("complaint", "Complaint"),
                            ("request", "Request"),
                            ("staff", "Staff"),
                            ("imported", "Imported"),
                        ],
                        max_length=16,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
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
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorized", "Authorized"),
                            ("revoked", "Revoked"),
                            ("opted_out", "Opted Out"),
                            ("opted_in", "Opted In"),
                            ("suppressed", "Suppressed"),
                            ("released", "Released"),
                        ],
                        max_length=16,
                    ),
                ),
                ("contact_id", models.BigIntegerField(null=True)),
                ("address_hash", models.BinaryField(null=True)),
                ("concerns", models.UUIDField()),
                ("channel", models.CharField(blank=True, max_length=16)),
                ("purpose", models.CharField(blank=True, max_length=32)),
                ("topic", models.CharField(blank=True, max_length=64)),
                ("received_by", models.CharField(max_length=32)),
                ("received_at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                "verbose_name_plural": "entries",
                "indexes": [
                    models.Index(
                        fields=["contact_id", "received_at"], name="consent_entry_contact"
                    ),
                    models.Index(
                        fields=["organisation", "received_at"], name="consent_entry_received"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="formversion",
            constraint=models.UniqueConstraint(
                fields=("organisation", "name", "language", "number"),
                name="consent_form_version_number",
            ),
        ),
        migrations.AddIndex(
            model_name="authorization",
            index=models.Index(fields=["contact_id"], name="consent_authorization_contact"),
        ),
        migrations.AddIndex(
            model_name="authorization",
            index=models.Index(
                fields=["organisation", "expires_on"], name="consent_authorization_expiry"
            ),
        ),
        migrations.AddConstraint(
            model_name="authorization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_on__isnull", False),
                    models.Q(("expires_event", ""), _negated=True),
                    _connector="OR",
                ),
                name="consent_authorization_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="optout",
            index=models.Index(
                condition=models.Q(("lifted_at", None)),
                fields=["contact_id"],
                name="consent_optout_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="optout",
            index=models.Index(
                condition=models.Q(("lifted_at", None)),
                fields=["organisation", "address_hash"],
                name="consent_optout_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                condition=models.Q(("released_at", None)),
                fields=("organisation", "channel", "address_hash"),
                name="consent_suppression_once",
            ),
        ),
        migrations.RunSQL(REFUSE_CHANGE, ALLOW_CHANGE),
    ]
