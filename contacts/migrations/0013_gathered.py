"""Changed contacts may be gathered into side blocks before they are folded in."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0012_history")]

    operations = [
        migrations.AddField(
            model_name="dirty",
            name="gathered",
            field=models.IntegerField(null=True),
        ),
    ]
