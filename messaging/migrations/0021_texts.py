import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.fields
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
        ("messaging", "0020_portal"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="delivered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.AddField(
            model_name="pool",
            name="number",
            field=models.CharField(blank=True, default="", max_length=34),
        ),
        migrations.AddField(
            model_name="pool",
            name="provider",
            field=models.CharField(blank=True, default="", max_length=24),
        ),
        migrations.AddField(
            model_name="pool",
            name="sender_domain",
            field=models.CharField(blank=True, default="", max_length=253),
        ),
        migrations.AddField(
            model_name="pool",
            name="url",
            field=models.URLField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="template",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("sms", "Text message")],
                default="email",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("sms", "Text message")],
                default="email",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="destinationlimit",
            name="pool",
            field=models.CharField(
                choices=[
                    ("transactional", "Transactional"),
                    ("care", "Care"),
                    ("texts", "Text messages"),
                    ("marketing", "Marketing"),
                    ("marketing_texts", "Marketing texts"),
                ],
                max_length=16,
            ),
        ),
        # A generated column cannot be altered: it is made anew, with the index that names it.
        migrations.RemoveIndex(model_name="message", name="messaging_message_due"),
        migrations.RemoveField(model_name="message", name="pool"),
        migrations.AddField(
            model_name="message",
            name="pool",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        channel="sms",
                        purpose__in=(
                            "payment",
                            "operations",
                            "service_notice",
                            "treatment",
                            "care_coordination",
                            "appointment",
                            "refill",
                        ),
                        then=models.Value("texts"),
                    ),
                    models.When(channel="sms", then=models.Value("marketing_texts")),
                    models.When(
                        purpose__in=("payment", "operations", "service_notice"),
                        then=models.Value("transactional"),
                    ),
                    models.When(
                        purpose__in=("treatment", "care_coordination", "appointment", "refill"),
                        then=models.Value("care"),
                    ),
                    models.When(
                        purpose__in=(
                            "marketing",
                            "remunerated_marketing",
                            "fundraising",
                            "research",
                        ),
                        then=models.Value("marketing"),
                    ),
                    default=models.Value("marketing"),
                ),
                output_field=models.CharField(max_length=16),
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "deferred"])),
                fields=["organisation", "pool", "due_at"],
                name="messaging_message_due",
            ),
        ),
        migrations.AlterField(
            model_name="pool",
            name="carrier",
            field=models.CharField(
                choices=[
                    ("installation", "The installation's relay"),
                    ("relay", "A relay of its own"),
                    ("provider", "A provider's API"),
                    ("webhook", "A gateway that takes signed JSON"),
                ],
                default="installation",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="pool",
            name="kind",
            field=models.CharField(
                choices=[
                    ("transactional", "Transactional"),
                    ("care", "Care"),
                    ("texts", "Text messages"),
                    ("marketing", "Marketing"),
                    ("marketing_texts", "Marketing texts"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="stop",
            name="pool",
            field=models.CharField(
                blank=True,
                choices=[
                    ("transactional", "Transactional"),
                    ("care", "Care"),
                    ("texts", "Text messages"),
                    ("marketing", "Marketing"),
                    ("marketing_texts", "Marketing texts"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="answer",
            name="way",
            field=models.CharField(
                choices=[("portal", "Portal"), ("mail", "E-mail"), ("text", "Text message")],
                default="portal",
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="IncomingText",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.BinaryField()),
                ("pool", models.CharField(max_length=16)),
                ("contact_id", models.BigIntegerField(null=True)),
                ("message_id", models.BigIntegerField(null=True)),
                ("verdict", models.CharField(max_length=8)),
                ("received_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stopped", "Stopped"),
                            ("started", "Started again"),
                            ("help", "Help"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "answer_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("due", "Waiting"),
                            ("sending", "Being handed over"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("unclear", "Unclear"),
                            ("too_late", "Too late"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("answer_to", crypto.fields.SealedJSONField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
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
                        condition=models.Q(("answer_state", "due")),
                        fields=["organisation", "received_at"],
                        name="messaging_incoming_due",
                    ),
                    models.Index(
                        condition=models.Q(("contact_id__isnull", False)),
                        fields=["contact_id", "received_at"],
                        name="messaging_incoming_whose",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "digest"), name="messaging_incoming_once"
                    )
                ],
            },
        ),
    ]
