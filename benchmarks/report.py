"""A workflow's report over a million people, against plain aggregates of the same rows.

Everybody entered within a month, drew a lot, was sent a message or held out, and one in four opened
it; one in ten came to the goal. The work is the report as its page and its API read it: totals,
messages, steps, weeks, and the goal arm by arm with its intervals. The limit is what any report
must at least do: one plain aggregate over each of the four tables, with no joins.

report        seconds of the report, against the four aggregates
report_page   seconds of the first fifty people behind a figure, against the limit of 100 ms
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, connections

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from contacts import events, registry
from contacts.models import first_id
from marketing.reports import people
from marketing.reports.cohort import Cohort
from marketing.web import workflow_reports
from marketing.web.workflow_report_told import Asked
from messaging import samples
from messaging.models import TemplateVersion
from workflows import publishing
from workflows.models import WorkflowVersion

PEOPLE = 1_000_000
ROUNDS = 3
NOW = datetime.now(UTC)
BEGAN = NOW - timedelta(days=28)
GOAL = "appointment.booked"
FIRST_PAGE = 0.1
ENROLMENTS = """
insert into workflows_enrolment
    (organisation_id, workflow_id, version_id, contact_id, occurrence, state, node, path,
     entered_at, arrived_at, due_at, waiting_for, outcome, ended_at)
select %(organisation)s, %(workflow)s, %(version)s, %(first)s + number, '', 'done', 'end',
       '{lot,mail}', came, came, null, '', 'finished', came
from generate_series(0, %(count)s - 1) as number,
     lateral (select %(began)s::timestamptz + number %% 27 * interval '1 day') as at (came)
"""
LOTS = """
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select organisation_id, id, version_id, 'lot', case when contact_id %% 5 = 0 then 'arm2' else 'arm1'
       end, entered_at, entered_at, null
from workflows_enrolment where version_id = %(version)s
"""
MESSAGES = """
insert into messaging_message
    (organisation_id, public_id, contact_id, version_id, channel, purpose, topic, source, step,
     visit, occurrence, classes, state, refusal_code, permit, route, due_at, not_after, fence,
     attempts, message_id_header, sha256, smtp_reply, created_at, sent_at)
select organisation_id, gen_random_uuid(), contact_id, %(template)s, 'email', 'marketing', '',
       workflow_id, 'mail', 0, '', '{}', case when contact_id %% 7 = 0 then 'refused' else 'sent'
       end, case when contact_id %% 7 = 0 then 'no_authorization' else '' end, null, '', entered_at,
       entered_at, 0, 1, '', '', '', entered_at, entered_at
from workflows_enrolment where version_id = %(version)s and contact_id %% 5 <> 0
"""
MAILED = """
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select e.organisation_id, e.id, e.version_id, 'mail', 'next', entered_at, entered_at, m.id
from workflows_enrolment e
join messaging_message m on m.source = e.workflow_id and m.contact_id = e.contact_id
where e.version_id = %(version)s
"""
OPENED = """
insert into contacts_event
    (organisation_id, contact_id, kind, occurred_at, received_at, source, campaign, message_id)
select organisation_id, contact_id, 'message.opened', sent_at + interval '1 hour', now(), 'bench',
       %(pinned)s, id
from messaging_message where source = %(workflow)s and state = 'sent' and contact_id %% 4 = 0
"""
CAME = """
insert into contacts_event
    (organisation_id, contact_id, kind, occurred_at, received_at, source)
select organisation_id, contact_id, %(goal)s, entered_at + interval '1 day', now(), 'bench'
from workflows_enrolment where version_id = %(version)s and contact_id %% 10 = 3
"""
LIMIT = (
    "select node, way, count(*) from workflows_move where version_id = %(version)s group by 1, 2",
    "select state, node, outcome, count(*) from workflows_enrolment"
    " where version_id = %(version)s group by 1, 2, 3",
    "select step, state, refusal_code, count(*) from messaging_message"
    " where source = %(workflow)s group by 1, 2, 3",
    "select kind, machine, count(distinct contact_id) from contacts_event"
    " where kind in (%(goal)s, 'message.opened') group by 1, 2",
)


def run(scale: float) -> Iterator[Row]:
    count = max(20_000, round(PEOPLE * scale))
    organisation_id = found_organisation(now=BEGAN)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        version = _published()
        given = _fill(version, count)
        asked = Asked(version, goal=GOAL, days=14)
        limits, works = [], []
        with peak_memory() as peak:
            for _ in range(ROUNDS):
                limits.append(seconds(lambda: _aggregates(given)))
                works.append(seconds(lambda: _report(asked, count)))
        yield Row("report", count, min(works), min(limits), "time", peak.grown_mb)
        pages = [seconds(lambda: people.page(Cohort(version), who="opened")) for _ in range(ROUNDS)]
        yield Row("report_page", people.PAGE, min(pages), FIRST_PAGE, "time")


def _published() -> WorkflowVersion:
    template = samples.ensure_sample_templates(now=BEGAN)["diabetes-education"]
    nodes = [
        {"id": "lot", "kind": "split", "weight1": 4, "arm1": "mail", "weight2": 1, "arm2": "end",
         "hold_out": "arm2"},
        {"id": "mail", "kind": "send", "template": str(template.template_id), "next": "end",
         "refused": "end"},
        {"id": "end", "kind": "exit"},
    ]  # fmt: skip
    draft = {"trigger": {"kind": "api"}, "start": "lot", "nodes": nodes}
    workflow = publishing.create("Lots", slug="lots", draft=draft, now=BEGAN)
    return publishing.publish(workflow.id, now=BEGAN)


def _fill(version: WorkflowVersion, count: int) -> dict[str, Any]:
    events.ensure_partitions(now=NOW)
    pinned = TemplateVersion.objects.get(id=version.templates["mail"])
    given: dict[str, Any] = {
        "organisation": tenancy.current(),
        "workflow": version.workflow_id,
        "version": version.id,
        "template": pinned.id,
        "pinned": pinned.template_id,
        "first": first_id(tenancy.current()),
        "count": count,
        "began": BEGAN,
        "goal": GOAL,
    }
    with connection.cursor() as cursor:
        for statement in (ENROLMENTS, LOTS, MESSAGES, MAILED, OPENED, CAME):
            cursor.execute(statement, given)
    with connections["owner"].cursor() as cursor:
        cursor.execute("vacuum analyze")  # as autovacuum does in its time
    return given


def _aggregates(given: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        for statement in LIMIT:
            cursor.execute(statement, given)
            cursor.fetchall()


def _report(asked: Asked, count: int) -> None:
    """Read it as the page does, and make sure that it speaks of everybody."""
    classes = frozenset(one.data_class.value for one in registry.current().values())
    told = workflow_reports.read(
        asked, granted=classes | {"engagement"}, asker="bench", zone=ZoneInfo("America/New_York")
    ).told
    if told.totals.entered.number != count:
        raise RuntimeError(f"{told.totals.entered.number} entered of {count}")
