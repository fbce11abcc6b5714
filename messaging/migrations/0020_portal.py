"""The portal: codes by carriers, sessions, the inbox, and letters from staff."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy
import crypto.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_care_staff"),
        ("messaging", "0019_post_drop_plain_conditions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crypto.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("message_id", models.BigIntegerField()),
                ("contact_id", models.BigIntegerField()),
                ("words", models.BinaryField()),
                ("written_by", models.CharField(max_length=64)),
                ("written_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveField(
            model_name="pickup",
            name="code_attempts",
        ),
        migrations.AddField(
            model_name="answer",
            name="assigned_to",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="answer",
            name="done_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="answer",
            name="done_by",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="answer",
            name="way",
            field=models.CharField(
                choices=[("portal", "Portal"), ("mail", "E-mail")], default="portal", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="pickup",
            name="code_by",
            field=models.CharField(blank=True, default="", max_length=8),
        ),
        migrations.AddField(
            model_name="pickup",
            name="language",
            field=models.CharField(blank=True, default="", max_length=8),
        ),
        migrations.AddField(
            model_name="pickup",
            name="sessions",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                condition=models.Q(("done_at", None)),
                fields=["organisation", "sent_at"],
                name="messaging_answer_open",
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="answer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="letters",
                to="messaging.answer",
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="organisation",
            field=accounts.tenancy.OrganisationKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(
                fields=("organisation", "message_id"), name="messaging_letter_once"
            ),
        ),
    ]
