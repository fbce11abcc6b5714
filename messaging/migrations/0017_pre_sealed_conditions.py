"""A second column for the conditions of templates, to be sealed; the plain one stays for now."""

from django.db import migrations

from crypto.fields import SealedJSONField


class Migration(migrations.Migration):
    dependencies = [("messaging", "0016_per_domain")]

    operations = [
        migrations.AddField(
            model_name=name,
            name="sealed",
            field=SealedJSONField(null=True, db_column="sealed_conditions"),
        )
        for name in ("template", "templateversion")
    ]
