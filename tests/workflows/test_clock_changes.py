"""Whoever waits for a wall time is moved at its moment, over every clock change, by the runner."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organisation
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_clock import CHANGES
from workflows import enrol, publishing, runner
from workflows.models import Enrolment, Workflow

SECOND = timedelta(seconds=1)


def rows() -> list[dict[str, Any]]:
    if not Path(CHANGES).exists():
        return []
    found = [json.loads(line) for line in Path(CHANGES).read_text().splitlines()]
    # A wall time that comes twice means the first; an `until` names no seconds.
    return [
        one
        for one in found
        if one["local"].endswith(":00") and _moment(one).astimezone(ZoneInfo(one["zone"])).fold == 0
    ]


def _moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["utc"]).astimezone(UTC)


def waits_until(wall: datetime, *, clock: str) -> Workflow:
    on = f"{wall:%Y-%m-%dT%H:%M}"
    nodes = [
        {"id": "there", "kind": "until", "on": on, "clock": clock, "next": "end"},
        {"id": "end", "kind": "exit"},
    ]
    draft = {"trigger": {"kind": "api"}, "start": "there", "nodes": nodes}
    slug = f"w{Workflow.objects.count()}"
    made = publishing.create("Until", slug=slug, draft=draft, now=NOON)
    publishing.publish(made.id, now=NOON)
    return made


@pytest.mark.parametrize("whose", ["organisation", "contact"])
@pytest.mark.skipif(not rows(), reason="the published examples are not beside the checkout")
def test_every_common_row_is_exact_to_the_second_behind_the_runner(
    at_harbor: Organisation, whose: str
) -> None:
    """TC-04, CA-05: nobody moves a second before the row's moment, and everybody at it."""
    asked = rows()[:: max(1, len(rows()) // 24)]
    for row in asked:
        if whose == "organisation":
            Organisation.objects.filter(pk=at_harbor.pk).update(timezone=row["zone"])
        (ada,) = people("ada", **({"time_zone": row["zone"]} if whose == "contact" else {}))
        moment = _moment(row)
        workflow = waits_until(datetime.fromisoformat(row["local"]), clock=whose)
        enrol.enrol(workflow.id, [ada], now=moment - timedelta(days=2))
        for now, state in (
            (moment - timedelta(days=2), "waiting"),
            (moment - SECOND, "waiting"),
            (moment, "done"),
        ):
            runner.run_once(now=now)
            assert Enrolment.objects.get(workflow_id=workflow.id).state == state, (row, now)
