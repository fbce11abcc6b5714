"""Keys of fields that an organisation adds are longer than declared ones."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0002_purposes_and_payment"),
    ]

    operations = [
        migrations.AlterField(
            model_name="template",
            name="declared",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), blank=True, default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="declared",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="fields_read",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), default=list, size=None
            ),
        ),
    ]
