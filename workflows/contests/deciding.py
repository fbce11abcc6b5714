"""Contests between the arms of a split: counted from the rows once, at a time set beforehand.

Counted are those whose time is over, so that nobody counts as a no who may still say yes. An arm
wins if it beats each of the others beyond chance (workflows.comparing); if none does, none wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from workflows import versions
from workflows.comparing import Group, Verdict, decide
from workflows.models import ContestVerdict, Workflow
from workflows.steps import ARMS, Contest, Split
from workflows.versions import Published

FEWEST = 30
"""People in each arm, below which the test of two proportions does not hold."""
COUNT = """
select m.way, count(*), count(*) filter (where exists (
    select from contacts_event v
    where v.organisation_id = %(organisation)s and v.contact_id = e.contact_id
      and v.kind = %(event)s and not v.machine
      and v.occurred_at between m.left_at and m.left_at + %(within)s))
from workflows_move m join workflows_enrolment e on e.id = m.enrolment_id
where m.organisation_id = %(organisation)s and m.version_id = %(version)s and m.node = %(node)s
  and m.left_at <= %(until)s
group by 1
"""


def winners(published: Iterable[Published]) -> dict[tuple[UUID, str], str]:
    """Return the winning arm by version and step; no query where nothing is contested."""
    ids = [one.id for one in published if any(_contested(one))]
    if not ids:
        return {}
    rows = ContestVerdict.objects.filter(version_id__in=ids).exclude(winner="")
    return {
        (version_id, node): winner
        for version_id, node, winner in rows.values_list("version_id", "node", "winner")
    }


def verdicts(version_id: UUID) -> dict[str, tuple[str, str]]:
    """Return by step which arm won each contest of the version, and why, in words."""
    rows = ContestVerdict.objects.filter(version_id=version_id)
    return {
        node: (_named(winner) or "none", _named(why))
        for node, winner, why in rows.values_list("node", "winner", "why")
    }


def _named(words: str) -> str:
    """An arm is called as the drawing calls it: arm 1."""
    return re.sub(r"\barm(\d)\b", r"arm \1", words)


def decide_due(*, now: datetime) -> int:
    """Decide the contests of live versions whose time has come; return how many."""
    rows = Workflow.objects.filter(live__isnull=False).exclude(state=Workflow.State.CLOSED)
    live = {row.live.id: row.live.published_at for row in rows.select_related("live") if row.live}
    over = set(ContestVerdict.objects.filter(version_id__in=live).values_list("version_id", "node"))
    decided = 0
    for version in versions.load(live.keys()).values():
        for step, contest in _contested(version):
            due = live[version.id] + contest.after
            if (version.id, step.id) not in over and due <= now:
                _decide(version, step, contest, now=now)
                decided += 1
    return decided


def _contested(version: Published) -> Iterator[tuple[Split, Contest]]:
    for step in version.graph.steps.values():
        if isinstance(step, Split) and step.contest is not None:
            yield step, step.contest


@transaction.atomic
def _decide(version: Published, step: Split, contest: Contest, *, now: datetime) -> None:
    groups = count(version.id, step, contest, now=now)
    verdict = judged(groups)
    made, new = ContestVerdict.objects.get_or_create(
        version_id=version.id,
        node=step.id,
        defaults={
            "winner": verdict.winner,
            "why": verdict.why[:200],
            "counts": {one.name: [one.size, one.did] for one in groups},
            "decided_at": now,
        },
    )
    if new:
        trail.record(
            "workflow.winner_named",
            subject=f"workflow:{version.workflow_id}",
            detail={"node": step.id, "winner": made.winner or "none"},
        )


def count(version_id: UUID, step: Split, contest: Contest, *, now: datetime) -> list[Group]:
    """Return the arms that take part, with whom they drew long enough ago."""
    told: dict[str, Any] = {
        "organisation": tenancy.current(),
        "event": contest.event,
        "within": contest.within,
        "version": version_id,
        "node": step.id,
        "until": now - contest.within,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, told)
        found = {way: (size, did) for way, size, did in cursor.fetchall()}
    arms = [arm for arm in ARMS[: len(step.weights)] if arm != step.hold_out]
    return [Group(arm, *found.get(arm, (0, 0))) for arm in arms]


def judged(groups: list[Group]) -> Verdict:
    if min(one.size for one in groups) < FEWEST:
        return Verdict("", f"An arm has fewer than {FEWEST} people, so nothing can be compared.")
    return decide(groups)
