"""The conditions of templates are sealed: nothing in the clear is left of them."""

from django.db import migrations
from django.db.migrations.operations.base import Operation

from crypto.fields import SealedJSONField

MODELS = ("template", "templateversion")
# In SQL: Django would write the default into the rows first, and there is no row to seal it for.
NEVER_EMPTY = "ALTER TABLE messaging_{} ALTER COLUMN sealed_conditions {} NOT NULL"


def _renamed(name: str, *, blank: bool) -> list[Operation]:
    return [
        migrations.RemoveField(model_name=name, name="conditions"),
        migrations.RenameField(model_name=name, old_name="sealed", new_name="conditions"),
        migrations.RunSQL(
            NEVER_EMPTY.format(name, "SET"),
            NEVER_EMPTY.format(name, "DROP"),
            state_operations=[
                migrations.AlterField(
                    model_name=name,
                    name="conditions",
                    field=SealedJSONField(blank=blank, default=dict, db_column="sealed_conditions"),
                )
            ],
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("messaging", "0018_seal_conditions")]

    operations = [*_renamed("template", blank=True), *_renamed("templateversion", blank=False)]
