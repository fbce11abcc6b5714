"""Take in what happened to contacts: let people in, wake who waited for it, stop who died.

Events are read once, in the order in which they were settled (audit.settled), behind a cursor row
that one worker at a time holds. An event that comes twice finds its work done; one that comes late
finds that its person has moved on. What wakes somebody decides nothing: the engine looks the event
up again, and at the deadline it looks once more, so that no event is missed by a near miss here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from contacts.segments.live import touches
from contacts.segments.reading import DefinitionInvalid
from workflows import audience, dates, ending, enrol, opened, publishing, versions
from workflows.models import Cursor, Workflow

LIMIT = 20_000

STAGING = """
create temporary table if not exists heard (
    id bigint, txid xid8, contact_id bigint, kind text, campaign uuid, machine boolean,
    occurred_at timestamptz, properties bytea
) on commit delete rows
"""
READ = """
insert into heard
select id, txid, contact_id, kind, campaign, machine, occurred_at, properties from contacts_event
where (txid, id) > (%s::text::xid8, %s) and txid < pg_snapshot_xmin(pg_current_snapshot())
order by txid, id limit %s
"""
LET_IN = """
insert into workflows_enrolment
    (organisation_id, workflow_id, version_id, contact_id, occurrence, state, node, path,
     entered_at, arrived_at, due_at, waiting_for, outcome)
select distinct on (w.id, h.contact_id, case when w.lets_in_each then h.id end)
       %(organisation)s, w.id, v.id, h.contact_id,
       case when w.lets_in_each or l.waits or l.period is not null then h.id::text else '' end,
       'waiting', v.graph ->> 'start', '{}', %(now)s, %(now)s, %(now)s, '', ''
from heard h
join workflows_workflow w on w.listens_to = h.kind and w.state = 'live'
    and (w.listens_about is null or w.listens_about = h.campaign)
join workflows_workflowversion v on v.id = w.live_id
join unnest(%(plain)s::uuid[], %(waits)s::bool[], %(periods)s::interval[])
    as l (version_id, waits, period) on l.version_id = v.id
where not h.machine and not exists (
    select from workflows_enrolment e
    where e.workflow_id = w.id and e.contact_id = h.contact_id
      and (l.waits and e.state = 'waiting' or e.entered_at > %(now)s::timestamptz - l.period)
) and not exists (
    select from contacts_segment s
    where s.id = w.listens_about
      and (s.awaits_approval or s.archived_at is not null or s.status <> 'valid')
)
order by w.id, h.contact_id, case when w.lets_in_each then h.id end, h.txid, h.id
on conflict (workflow_id, contact_id, occurrence) do nothing
"""
WAKE = """
update workflows_enrolment e set due_at = least(e.due_at, %(now)s)
from heard h
where e.state = 'waiting' and e.contact_id = h.contact_id and e.waiting_for = h.kind
  and not h.machine
"""
STOP = """
update workflows_enrolment e
set state = 'stopped', outcome = 'deceased', due_at = null, waiting_for = '', ended_at = %(now)s
from heard h
where e.state = 'waiting' and e.contact_id = h.contact_id and h.kind = 'contact.deceased'
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one run took in."""

    events: int = 0
    entered: int = 0
    woken: int = 0
    stopped: int = 0
    ended: int = 0


def run_once(*, now: datetime, limit: int = LIMIT) -> Heard:
    """Take in up to `limit` events of the current organisation, in one transaction."""
    with transaction.atomic():
        present = _take_present(now=now) + _take_scheduled(now=now)
        Cursor.objects.get_or_create(organisation_id=tenancy.current())
        cursor = Cursor.objects.select_for_update().get(organisation_id=tenancy.current())
        heard = _take_in(cursor, now=now, limit=limit)
        entered = heard.entered + present
        if entered:
            trail.record("workflow.enrolled", detail={"count": entered, "trigger": "event"})
        if heard.stopped:
            trail.record("workflow.removed", detail={"count": heard.stopped, "reason": "deceased"})
        if heard.ended:
            trail.record("workflow.removed", detail={"count": heard.ended, "reason": "stopped"})
    return replace(heard, entered=entered)


def _take_in(cursor_row: Cursor, *, now: datetime, limit: int) -> Heard:
    told: dict[str, Any] = {"now": now, "organisation": tenancy.current()}
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        cursor.execute(READ, [str(cursor_row.txid), cursor_row.event_id, limit])
        events = cursor.rowcount
        if events == 0:
            return Heard()
        live = _live()
        news = opened.read(opened.kinds([*live, *ending.inside()]))
        cursor.execute(LET_IN, told | _plain(live))
        entered = cursor.rowcount + opened.let_in(live, news, now=now)
        enrol.pace(live if entered else [], now=now)
        counts = []
        for statement in (WAKE, STOP):
            cursor.execute(statement, told)
            counts.append(cursor.rowcount)
        ended = ending.apply(ending.inside(), news, now=now)
        if (entered or counts[1] or ended) and touches.asked("journey"):
            cursor.execute("select distinct contact_id from heard")
            touches.touch([one for (one,) in cursor.fetchall()], "journey", now=now)
        cursor.execute("select txid::text, id from heard order by txid desc, id desc limit 1")
        txid, event_id = cursor.fetchone()
        cursor.execute("truncate heard")
    cursor_row.txid, cursor_row.event_id = int(txid), event_id
    cursor_row.save(update_fields=["txid", "event_id"])
    woken, died = counts
    return Heard(events, entered, woken, died, ended)


def _live() -> list[versions.Published]:
    """Return the versions that events may let people into now."""
    rows = Workflow.objects.filter(state=Workflow.State.LIVE, live__isnull=False)
    found = rows.exclude(listens_to="").select_related("live")
    return list(versions.load([row.live.id for row in found if row.live]).values())


def _plain(live: Sequence[versions.Published]) -> dict[str, Any]:
    """Return those that need not open an event, and when each lets the same person in again."""
    plain = [one for one in live if not one.graph.trigger.opens]
    return {
        "plain": [one.id for one in plain],
        "waits": [one.graph.trigger.after_leaving for one in plain],
        "periods": [one.graph.trigger.after or None for one in plain],
    }


def _take_present(*, now: datetime) -> int:
    """Let in who was in the segment before the workflow was published; asked for once."""
    waiting = Workflow.objects.select_for_update(of=("self",)).filter(
        takes_present=True, state=Workflow.State.LIVE, live__isnull=False
    )
    entered = 0
    for workflow in waiting.select_related("live"):
        assert workflow.live is not None and workflow.listens_about is not None
        try:
            inside = audience.members(workflow.listens_about, now=now)
        except DefinitionInvalid:
            continue  # broken, or not approved any more: asked again once it is
        version = versions.of_row(workflow.live)
        entered += enrol.insert_people(version, [(one, "") for one in inside], now=now)
        Workflow.objects.filter(id=workflow.id).update(takes_present=False)
    return entered


def _take_scheduled(*, now: datetime) -> int:
    """Let in everybody whose time has come, by the rule of the trigger or by a date of their own.

    Times of a rule that were missed meanwhile come once, now; days of dates come each. A broken
    segment waits until it is mended.
    """
    due = Workflow.objects.select_for_update(of=("self",)).filter(
        comes_at__lte=now, state=Workflow.State.LIVE, live__isnull=False
    )
    entered = 0
    for workflow in due.select_related("live"):
        assert workflow.live is not None and workflow.comes_at is not None
        version = versions.of_row(workflow.live)
        take = _take_dated if version.graph.trigger.field else _take_segment
        try:
            came, following = take(version, workflow.comes_at, now)
        except DefinitionInvalid:
            continue
        entered += came
        Workflow.objects.filter(id=workflow.id).update(comes_at=following)
    return entered


def _take_segment(
    version: versions.Published, comes_at: datetime, now: datetime
) -> tuple[int, datetime | None]:
    trigger = version.graph.trigger
    assert trigger.segment is not None
    inside = audience.members(trigger.segment, now=now)
    occurrence = f"{comes_at:%Y-%m-%dT%H:%M}" if trigger.each else ""
    entered = enrol.insert_people(version, [(one, occurrence) for one in inside], now=now)
    return entered, publishing.triggers_at(trigger, now=now)


def _take_dated(
    version: versions.Published, comes_at: datetime, now: datetime
) -> tuple[int, datetime | None]:
    """The next day follows, even if it is over already: it is made up for at the next look."""
    comes_at = max(comes_at, now - dates.CATCHES_UP)
    entered = dates.let_in(version, comes_at, now=now)
    return entered, publishing.triggers_at(version.graph.trigger, now=comes_at)
