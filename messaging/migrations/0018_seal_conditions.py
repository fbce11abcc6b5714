"""Seal the conditions that stand in the clear.

A version never changes, and this changes none: the same conditions, in another writing. So its
trigger rests meanwhile, and so does row security, which holds for the owner of the tables too.
"""

from collections.abc import Sequence

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts import tenancy

TABLES = ("messaging_template", "messaging_templateversion")
REST = [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in TABLES] + [
    "ALTER TABLE messaging_templateversion DISABLE TRIGGER messaging_version_kept"
]
RESUME = [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TABLES] + [
    "ALTER TABLE messaging_templateversion ENABLE TRIGGER messaging_version_kept"
]


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _written_again(apps, schema_editor, of="conditions", into="sealed")


def open_again(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _written_again(apps, schema_editor, of="sealed", into="conditions")


def _written_again(
    apps: Apps, schema_editor: BaseDatabaseSchemaEditor, *, of: str, into: str
) -> None:
    database = schema_editor.connection.alias
    _run(schema_editor, REST)
    for name in ("Template", "TemplateVersion"):
        rows = apps.get_model("messaging", name).objects.using(database)
        for row in rows.order_by("organisation_id", "pk").iterator(chunk_size=500):
            with tenancy.acting_for(row.organisation_id):
                setattr(row, into, getattr(row, of))
                row.save(using=database, update_fields=[into])
    _run(schema_editor, RESUME)


def _run(schema_editor: BaseDatabaseSchemaEditor, statements: Sequence[str]) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0017_pre_sealed_conditions")]

    operations = [migrations.RunPython(seal, open_again)]
