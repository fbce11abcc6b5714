"""Five thousand are inside a live workflow that is edited: nobody moves until somebody says so."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from accounts.models import Organisation
from marketing.web.workflows import _empty
from tests.conftest import NOON
from tests.workflows.graphs import long_series
from workflows import enrol, publishing, runner
from workflows.brakes import tally
from workflows.models import Enrolment, Workflow, WorkflowVersion
from workflows.moving import migrating

MANY = 5_000
DAY = timedelta(days=1)


def at() -> Counter[tuple[int, str]]:
    numbers = dict(WorkflowVersion.objects.values_list("id", "number"))
    rows = Enrolment.objects.filter(state="waiting").values_list("version_id", "node")
    return Counter((numbers[version], node) for version, node in rows)


def turns(now: object) -> None:
    while runner.run_once(now=now).claimed:  # type: ignore[arg-type]
        pass


def test_the_dry_runs_counts_are_the_migrations_and_the_empty_version_retires(
    at_harbor: Organisation,
) -> None:
    """W10, pain 3"""
    workflow = publishing.create("Waits", slug="waits", draft=long_series(3), now=NOON)
    old = publishing.publish(workflow.id, now=NOON)
    tally.expect(workflow.id, MANY)
    first = [(at_harbor.pk << 40) + number for number in range(MANY - 1_000)]
    enrol.enrol(workflow.id, first, now=NOON)
    turns(NOON)
    turns(NOON + DAY)
    late = [(at_harbor.pk << 40) + number for number in range(MANY - 1_000, MANY)]
    enrol.enrol(workflow.id, late, now=NOON + DAY)
    turns(NOON + DAY)
    before = {(1, "w0"): 1_000, (1, "w1"): 4_000}
    assert at() == before

    Workflow.objects.filter(id=workflow.id).update(draft=long_series(5))
    new = publishing.publish(workflow.id, now=NOON + DAY)
    assert at() == before  # published, and nobody moved

    mapping = {"w0": "w0", "w1": "w3", "w2": "w2"}
    dry = migrating.dry_run(old, new, mapping)
    assert (dry.moved, dry.left, dry.stayed) == (MANY, 0, 0) and at() == before
    assert migrating.migrate(workflow.id, old, new, mapping, now=NOON + DAY) == dry
    assert at() == {(2, "w0"): 1_000, (2, "w3"): 4_000}

    workflow.refresh_from_db()
    assert _empty([old, new], workflow) == {1}
    for days in range(2, 8):
        turns(NOON + days * DAY)
    assert Counter(Enrolment.objects.values_list("outcome", flat=True)) == {"finished": MANY}
