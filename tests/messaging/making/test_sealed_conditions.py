"""What a template's conditions ask is sealed: it tells what is known of whoever it goes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts import tenancy
from accounts.models import Organisation
from messaging import versions
from messaging.models import Template, TemplateVersion
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import template
from tests.messaging.mails import mjml

CODE = "44054006"
DIABETIC = {
    "field": "conditions", "op": "has_code", "system": "http://snomed.info/sct", "codes": [CODE],
}  # fmt: skip
ASKING = {"diabetic": {"label": "Has diabetes", "definition": DIABETIC}}
PLAIN = ("messaging", "0016_per_domain")
SEALED = ("messaging", "0019_post_drop_plain_conditions")


def asking(slug: str = "news") -> Template:
    words = "<mj-text>Eat {% if when.diabetic %}less sugar{% else %}well{% endif %}.</mj-text>"
    return template(slug, purpose="treatment", mjml=mjml(words), text="", conditions=ASKING)


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t")
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("table", ["messaging_template", "messaging_templateversion"])
def test_a_row_shows_neither_the_code_nor_what_it_is_called(at_harbor: object, table: str) -> None:
    made = asking()
    versions.save(made, now=NOON)
    (row,) = columns(table)
    for said in (CODE, "Has diabetes", CODE.encode().hex()):
        assert said not in row


def test_the_hash_of_a_version_covers_what_its_conditions_ask(at_harbor: object) -> None:
    made = asking()
    first = versions.save(made, now=NOON)
    made.conditions = {
        "diabetic": ASKING["diabetic"] | {"definition": {**DIABETIC, "codes": ["1"]}}
    }
    made.save()
    assert versions.save(made, now=NOON).sha256 != first.sha256


def test_the_hash_says_nothing_to_who_lacks_the_key(
    at_harbor: Organisation, hill: Organisation
) -> None:
    """Two clinics with the same words have hashes of their own: none can be tried out."""
    ours = versions.save(asking(), now=NOON).sha256
    with tenancy.acting_for(hill.pk):
        assert versions.save(asking(), now=NOON).sha256 != ours


@pytest.fixture
def before_sealing(committed_db: OwnDatabase, harbor: Organisation) -> Iterator[MigrationExecutor]:
    """The database as the previous release left it, with a version that asks a condition."""
    with tenancy.acting_for(harbor.pk):
        versions.save(asking(), now=NOON)
    executor = MigrationExecutor(connections["owner"])
    executor.migrate([PLAIN])
    yield executor
    connections["owner"].close()


def test_what_stands_in_the_clear_is_sealed_by_the_upgrade(
    before_sealing: MigrationExecutor, harbor: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        assert CODE in columns("messaging_templateversion")[0]
    before_sealing.loader.build_graph()
    before_sealing.migrate([SEALED])
    with tenancy.acting_for(harbor.pk):
        assert CODE not in "".join(
            columns("messaging_template") + columns("messaging_templateversion")
        )
    before_sealing.loader.build_graph()
    before_sealing.migrate(before_sealing.loader.graph.leaf_nodes("messaging"))
    with tenancy.acting_for(harbor.pk):
        assert Template.objects.get().conditions == ASKING
        assert TemplateVersion.objects.get().conditions == ASKING
        with pytest.raises(DatabaseError, match="never changes"):
            TemplateVersion.objects.update(number=2)
