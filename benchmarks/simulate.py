"""A simulation of 10,000 people over 90 days: the education series, with answers and consent.

simulate        invented people, seconds against the limit of one minute
simulate_known  as many patients of a segment, drawn from the database
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from consent import ledger
from contacts import events
from contacts.records import Change, upsert
from contacts.segments import catalogue, columns
from messaging import samples
from workflows import publishing
from workflows.models import Workflow
from workflows.simulate import keeping

PEOPLE, DAYS = 10_000, 90
LIMIT = 60.0
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DOES = {
    "days": DAYS,
    "seed": 7,
    "messages": {
        "educate": {"opens": 0.6, "clicks": 0.3, "within": {"days": 2}},
        "remind": {"opens": 0.4, "clicks": 0.1, "within": {"days": 5}},
    },
    "events": [
        {"event": "class.booked", "share": 0.2, "within": {"days": 60}},
        {"event": "consent.revoked", "share": 0.05, "within": {"days": 80}},
    ],
}


def run(scale: float) -> Iterator[Row]:
    count = max(100, round(PEOPLE * scale))
    organisation_id = found_organisation(now=NOW)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        Organisation.objects.update(postal_address="1 Quay, Boston")
        events.ensure_partitions(now=NOW)
        workflow = _published()
        invented = {"kind": "synthetic", "count": count, "authorized": 0.7}
        yield _measured("simulate", workflow, invented, count)
        segment = _patients(count)
        known = {"kind": "sample", "count": count, "segment": segment}
        yield _measured("simulate_known", workflow, known, count)


def _measured(name: str, workflow: Workflow, people: dict[str, Any], count: int) -> Row:
    plan = {"people": people, "starts_at": NOW.isoformat(), **DOES}
    made = keeping.start(workflow, plan, number=1, now=NOW)
    with peak_memory() as peak:
        took = seconds(lambda: keeping.work(made, now=NOW))
    if made.result.get("people") != count:
        raise RuntimeError(made.problem or "the simulation lost somebody")
    return Row(name, count, took, LIMIT, "time", peak.grown_mb)


def _published() -> Workflow:
    template = str(samples.ensure_sample_templates(now=NOW)["diabetes-education"].template_id)
    adult = {"field": "birth_date", "op": "age_gte", "value": 50}
    nodes = [
        {"id": "educate", "kind": "send", "template": template, "next": "clicked"},
        {
            "id": "clicked", "kind": "wait_for", "event": "message.clicked", "of": "educate",
            "up_to": {"days": 3}, "heard": "rest", "unheard": "morning",
        },
        {"id": "morning", "kind": "until", "at": "09:00", "weekdays": ["tue"], "next": "older"},
        {"id": "older", "kind": "branch", "if": adult, "yes": "remind", "no": "rest"},
        {"id": "remind", "kind": "send", "template": template, "next": "rest", "refused": "rest"},
        {"id": "rest", "kind": "wait", "for": {"days": 30}, "next": "lot"},
        {"id": "lot", "kind": "split", "weight1": 1, "weight2": 1, "arm1": "last", "arm2": "end"},
        {"id": "last", "kind": "send", "template": template, "next": "end"},
        {"id": "end", "kind": "exit"},
        {"id": "booked", "kind": "goal", "event": "class.booked", "then": "exit"},
    ]  # fmt: skip
    draft = {"trigger": {"kind": "api"}, "start": "educate", "nodes": nodes}
    workflow = publishing.create("Series", slug="series", draft=draft, now=NOW)
    publishing.publish(workflow.id, now=NOW)
    return Workflow.objects.get(id=workflow.id)


def _patients(count: int) -> str:
    """Take in as many patients, seven of ten with a signature; return their segment."""
    ids: list[int] = []
    for at in range(0, count, 2_000):
        changes = [
            Change(
                source="bench",
                record_number=str(one),
                values={
                    "given_name": f"G{one}",
                    "email": f"p{one}@example.org",
                    "gender": "female",
                    "birth_date": f"{1940 + one % 60}-04-05",
                },
            )
            for one in range(at, min(at + 2_000, count))
        ]
        ids += upsert(changes, now=NOW).contact_ids
    scope = frozenset({"identity", "contact_point", "clinical", "demographic"})
    signed = [one for one in ids if one % 10 < 7]
    ledger.record_authorizations(
        [
            ledger.Signing(one, frozenset({"marketing"}), scope, NOW, date(2030, 1, 1))
            for one in signed
        ],
        received_by="paper",
        now=NOW,
    )
    tree = {"field": "gender", "op": "equals", "value": "female"}
    segment = catalogue.save(name="Women", tree=tree, now=NOW)
    columns.rebuild()
    return str(segment.id)
