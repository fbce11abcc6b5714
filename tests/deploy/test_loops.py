"""The worker's ticks: every organisation is served, and one's failure stays its own."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts import tenancy
from accounts.models import Organisation
from audit import actor
from contacts import events
from contacts.events import NewEvent
from contacts.records import Change, upsert
from contacts.segments import catalogue
from contacts.segments.live import feed
from marketing import celery, loops, tasks
from workflows.models import Cursor

SALEM = {"field": "city", "op": "equals", "value": "Salem"}


class Served:
    """A loop that notes whom it served, and fails for some."""

    def __init__(self, *, work: int = 0, fails_for: int = 0) -> None:
        self.seen: list[tuple[int, str]] = []
        self.work = work
        self.fails_for = fails_for

    def __call__(self, now: datetime) -> int:
        if tenancy.current() == self.fails_for:
            raise RuntimeError("born 1960-02-29")
        self.seen.append((tenancy.current(), actor.current().id))
        self.work -= 1
        return max(self.work, 0)


@pytest.mark.parametrize("name", sorted(celery.PERIODS))
def test_every_scheduled_loop_runs_with_nothing_due(
    name: str, harbor: Organisation, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    loops.run(name, now=now)
    assert "failed" not in caplog.text


def test_every_loop_is_scheduled() -> None:
    assert set(celery.PERIODS) == set(loops.LOOPS) | set(loops.WHOLE)


def test_a_loop_serves_every_organisation_in_its_name(
    harbor: Organisation, hill: Organisation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served()
    monkeypatch.setattr(loops, "LOOPS", {"runner": served})
    loops.run("runner", now=now)
    assert served.seen == [(harbor.pk, "runner"), (hill.pk, "runner")]


def test_a_failing_organisation_does_not_keep_the_next_one_waiting(
    harbor: Organisation,
    hill: Organisation,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = Served(fails_for=harbor.pk)
    monkeypatch.setattr(loops, "LOOPS", {"runner": served})
    loops.run("runner", now=now)
    assert served.seen == [(hill.pk, "runner")]


def test_a_loop_goes_on_while_there_is_work(
    harbor: Organisation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(work=3)
    monkeypatch.setattr(loops, "LOOPS", {"runner": served})
    loops.run("runner", now=now)
    assert len(served.seen) == 3


def test_a_large_organisation_does_not_starve_a_small_one(
    harbor: Organisation, hill: Organisation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Harbor never comes to an end; Hill is served in each round all the same."""
    seen: list[int] = []

    def endless(_now: datetime) -> int:
        seen.append(tenancy.current())
        return int(tenancy.current() == harbor.pk or seen.count(hill.pk) < 3)

    monkeypatch.setattr(loops, "LOOPS", {"runner": endless})
    monkeypatch.setattr(loops, "TURN", 0.0)
    monkeypatch.setattr(loops, "BUDGET", 0.2)
    loops.run("runner", now=now)
    assert seen[:6] == [harbor.pk, hill.pk] * 3 and seen.count(harbor.pk) > 3


def test_the_broker_is_told_a_loop_s_name_and_nothing_else() -> None:
    entries = celery.app.conf.beat_schedule.values()
    assert all(entry["args"] == [name] for entry, name in zip(entries, celery.PERIODS, strict=True))
    assert celery.app.conf.accept_content == ["json"]
    assert celery.app.conf.task_ignore_result
    assert tasks.tick.name == "marketing.tick"


@pytest.mark.usefixtures("committed_db")
def test_the_intake_of_events_goes_on_only_behind_a_full_batch(
    harbor: Organisation, now: datetime
) -> None:
    """Under a stream there is always one more; whom the last ones woke comes first."""
    with tenancy.acting_for(harbor.pk), actor.acting_as(actor.Actor("system", "test")):
        (one,) = upsert(
            [Change(source="ehr", record_number="1", values={"given_name": "P"})], now=now
        ).contact_ids
        events.append([NewEvent(contact_id=one, kind="visit.done", occurred_at=now)], now=now)
        assert loops.LOOPS["triggers"](now) == 0
        assert Cursor.objects.get().event_id > 0


@pytest.mark.usefixtures("committed_db")
def test_following_members_goes_on_only_behind_a_full_look(
    harbor: Organisation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another organisation waits for one look, however steadily this one's people change."""
    with tenancy.acting_for(harbor.pk), actor.acting_as(actor.Actor("system", "test")):
        catalogue.save(name="Salem", tree=SALEM, now=now)
        upsert([Change(source="ehr", record_number="1", values={"city": "Salem"})], now=now)
        assert loops.LOOPS["live"](now) == 0
        upsert([Change(source="ehr", record_number="2", values={"city": "Salem"})], now=now)
        monkeypatch.setattr(feed, "LOOK", 1)
        assert loops.LOOPS["live"](now) >= 1
