"""A contact may be part of another; and says in the clear, beside the record, whether it died."""

from __future__ import annotations

from django.db import migrations, models

KNOWN_DEATHS = """
ALTER TABLE contacts_contact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contacts_event NO FORCE ROW LEVEL SECURITY;
UPDATE contacts_contact c SET deceased = true
FROM (
    SELECT DISTINCT ON (contact_id) contact_id, kind FROM contacts_event
    WHERE kind IN ('contact.deceased', 'contact.alive') ORDER BY contact_id, id DESC
) AS latest
WHERE latest.contact_id = c.id AND latest.kind = 'contact.deceased';
"""
# Until now the log alone said who died. The owner reads every organisation for this one statement;
# row security is forced again after every migrate.


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_segments")]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="deceased",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="contact", name="merged_into", field=models.BigIntegerField(null=True)
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["organisation", "merged_into", "id"],
                name="contacts_merged",
            ),
        ),
        migrations.RunSQL(KNOWN_DEATHS, migrations.RunSQL.noop),
    ]
