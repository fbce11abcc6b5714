"""Of whom a report speaks: who entered one version, since when, and of which segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import tenancy
from messaging.models import TemplateVersion
from workflows.graph import Graph, parse
from workflows.models import WorkflowVersion

ENTERED = """
entered as (
    select id, contact_id, occurrence, workflow_id, state, outcome, node, entered_at, ended_at
    from workflows_enrolment
    where version_id = %(version)s
      and (%(since)s::timestamptz is null or entered_at >= %(since)s)
      and (%(members)s::int8[] is null or contact_id = any(%(members)s))
)"""
LETTERS = """
letters as (
    select e.id as enrolment_id, m.id, m.step, m.state, m.refusal_code
    from entered e join messaging_message m on m.organisation_id = %(organisation)s
        and m.source = e.workflow_id and m.contact_id = e.contact_id
        and m.occurrence = e.occurrence
)"""
HEARD = """
heard as (
    select l.enrolment_id, l.id, l.step, ev.kind, ev.machine, ev.link
    from letters l join contacts_event ev on ev.message_id = l.id
    where ev.organisation_id = %(organisation)s and ev.campaign = any(%(templates)s)
      and ev.kind = any(%(kinds)s) and ev.occurred_at >= %(first)s
)"""
"""By template and kind, which the events are indexed by, and then by message."""

_MEMORY = "set local work_mem = '64MB'"
"""So that joining a million people with their messages needs no files. Few read reports at once."""

OPENED, CLICKED, ANSWERED = "message.opened", "message.clicked", "message.replied"
ENGAGED = (OPENED, CLICKED, ANSWERED)
KINDS = (*ENGAGED, "message.bounced", "message.unsubscribed", "message.complained")


@dataclass(frozen=True, slots=True)
class Cohort:
    """`since`: entered at that moment or later. `members`: contacts of a segment, None for all."""

    version: WorkflowVersion
    since: datetime | None = None
    members: Sequence[int] | None = None

    @property
    def graph(self) -> Graph:
        return parse(self.version.graph)

    def rows(self, query: str, **more: Any) -> list[tuple[Any, ...]]:
        """Run a query over the cohort; `query` begins after `with entered, ...`."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_MEMORY)
            cursor.execute(query, self.asked() | more)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def asked(self) -> dict[str, Any]:
        pinned = TemplateVersion.objects.filter(id__in=list(self.version.templates.values()))
        return {
            "organisation": tenancy.current(),
            "version": self.version.id,
            "since": self.since,
            "first": self.since or self.version.published_at,
            "members": None if self.members is None else list(self.members),
            "templates": list(pinned.values_list("template_id", flat=True)),
            "kinds": list(KINDS),
        }
