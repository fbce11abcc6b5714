"""Moving people between versions: counted first, then all at once, and nobody twice anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection

from audit.models import Entry
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from workflows import enrol, publishing, runner
from workflows.models import Enrolment, VersionMigration, Workflow, WorkflowVersion
from workflows.moving import migrating
from workflows.moving.migrating import LEAVE, STAY, MigrationRefused

LATER = NOON + timedelta(hours=1)


def reworked(workflow: Workflow, **waits: int) -> WorkflowVersion:
    """Publish another version in which waits are longer, or named otherwise."""
    draft: dict[str, Any] = workflow.draft
    for node in draft["nodes"]:
        if node["id"] in waits:
            node["up_to"] = {"days": waits[node["id"]]}
    publishing.save_draft(workflow, draft, now=NOON)
    return publishing.publish(workflow.id, now=NOON)


def renamed(workflow: Workflow, node: str, new: str) -> WorkflowVersion:
    import json

    draft = json.loads(json.dumps(workflow.draft).replace(f'"{node}"', f'"{new}"'))
    publishing.save_draft(workflow, draft, now=NOON)
    return publishing.publish(workflow.id, now=NOON)


def inside(workflow: Workflow, count: int) -> list[int]:
    """Let so many in; after the first mail they wait for a click."""
    ids = people(*(f"p{n}" for n in range(count)), gender="female")
    sign(ids)
    enrol.enrol(workflow.id, ids, now=NOON)
    while runner.run_once(now=NOON).claimed:
        pass
    return ids


def first(workflow: Workflow) -> WorkflowVersion:
    return workflow.versions.get(number=1)


def numbers() -> dict[int, UUID]:
    return dict(Enrolment.objects.values_list("contact_id", "version_id"))


def test_publishing_moves_nobody(publish: Publish) -> None:
    """W10"""
    workflow = publish()
    inside(workflow, 3)
    reworked(workflow, clicked=7)
    assert set(numbers().values()) == {first(workflow).id}


def test_the_dry_run_counts_what_the_migration_does(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 5)
    new = reworked(workflow, clicked=7)
    mapping = {"clicked": "clicked"}
    told = migrating.dry_run(first(workflow), new, mapping)
    assert set(numbers().values()) == {first(workflow).id}
    done = migrating.migrate(workflow.id, first(workflow), new, mapping, now=LATER)
    assert (told, set(numbers().values())) == (done, {new.id})
    assert done.moved == 5


def test_the_time_at_the_same_step_goes_on_by_the_new_rule(publish: Publish) -> None:
    """Three days have passed of seven: the reminder comes four days later, not at once."""
    workflow = publish()
    inside(workflow, 1)
    new = reworked(workflow, clicked=7)
    migrating.migrate(workflow.id, first(workflow), new, {"clicked": "clicked"}, now=LATER)
    runner.run_once(now=NOON + timedelta(days=3))
    assert Enrolment.objects.get().due_at == NOON + timedelta(days=7)


def test_a_step_without_a_counterpart_is_named_and_its_people_stay(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    new = renamed(workflow, "clicked", "waited")
    from workflows.graph import parse

    old = first(workflow)
    assert migrating.unmapped(parse(old.graph), parse(new.graph)) == ["clicked"]
    done = migrating.migrate(workflow.id, old, new, {}, now=LATER)
    assert (done.stayed, set(numbers().values())) == (2, {old.id})


def test_people_go_to_the_step_that_staff_chose(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    new = renamed(workflow, "clicked", "waited")
    migrating.migrate(workflow.id, first(workflow), new, {"clicked": "waited"}, now=LATER)
    assert set(Enrolment.objects.values_list("node", flat=True)) == {"waited"}


def test_nobody_gets_a_message_again_that_lies_behind(publish: Publish) -> None:
    """A map back to a step that somebody passed leaves that person where they are."""
    workflow = publish()
    inside(workflow, 2)
    new = reworked(workflow, clicked=7)
    done = migrating.migrate(workflow.id, first(workflow), new, {"clicked": "educate"}, now=LATER)
    (line,) = [one for one in done.lines if one.node == "clicked"]
    assert (line.passed, done.moved) == (2, 0)


def test_who_is_let_go_leaves(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    new = reworked(workflow, clicked=7)
    done = migrating.migrate(workflow.id, first(workflow), new, {"clicked": LEAVE}, now=LATER)
    assert done.left == 2
    assert set(Enrolment.objects.values_list("state", "outcome")) == {("stopped", "migrated_out")}


@pytest.mark.parametrize(
    ("mapping", "named"),
    [({"nowhere": STAY}, "nowhere"), ({"clicked": "nowhere"}, "clicked")],
)
def test_a_map_that_names_no_step_moves_nobody(
    publish: Publish, mapping: dict[str, str], named: str
) -> None:
    workflow = publish()
    inside(workflow, 1)
    new = reworked(workflow, clicked=7)
    with pytest.raises(MigrationRefused) as refused:
        migrating.migrate(workflow.id, first(workflow), new, mapping, now=LATER)
    assert named in refused.value.faults


def test_versions_of_two_workflows_do_not_mix(publish: Publish) -> None:
    workflow, other = publish(), publish(slug="other")
    with pytest.raises(MigrationRefused):
        migrating.migrate(workflow.id, first(workflow), first(other), {}, now=LATER)


def test_who_comes_to_an_end_after_it_is_counted_once(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 4)
    new = reworked(workflow, clicked=7)
    migrating.migrate(workflow.id, first(workflow), new, {"clicked": "clicked"}, now=LATER)
    for days in range(1, 12):
        while runner.run_once(now=NOON + timedelta(days=days)).claimed:
            pass
    ended = Enrolment.objects.exclude(state="waiting")
    assert (ended.count(), Enrolment.objects.count()) == (4, 4)


def test_five_thousand_move_at_once(publish: Publish) -> None:
    workflow = publish()
    old = first(workflow)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into workflows_enrolment (organisation_id, workflow_id, version_id, contact_id,"
            " occurrence, state, node, entered_at, arrived_at, due_at)"
            " select %s, %s, %s, n, '', 'waiting', 'clicked', %s, %s, %s"
            " from generate_series(1, 5000) n",
            [workflow.organisation_id, workflow.id, old.id, NOON, NOON, NOON],
        )
    new = reworked(workflow, clicked=7)
    told = migrating.dry_run(old, new, {"clicked": "clicked"})
    done = migrating.migrate(workflow.id, old, new, {"clicked": "clicked"}, now=LATER)
    assert told == done
    assert Enrolment.objects.filter(version_id=new.id).count() == 5_000


def test_it_is_on_record_for_good(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 1)
    new = reworked(workflow, clicked=7)
    migrating.migrate(workflow.id, first(workflow), new, {"clicked": "clicked"}, now=LATER)
    assert VersionMigration.objects.get().counts["clicked"]["moved"] == 1
    assert Entry.objects.filter(action="workflow.migrated").exists()
    with pytest.raises(DatabaseError):
        VersionMigration.objects.update(from_number=9)
