"""Drawing an audience: in batches, by one worker, whatever dies on the way; own hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contacts import events
from marketing.campaigns import drawing, launching, planning, running
from marketing.campaigns.models import Campaign, Recipient, Run
from marketing.campaigns.planning import CampaignRefused
from messaging.models import Template
from tests.campaigns.conftest import MARA, Make, approve, launch, send
from tests.conftest import NOON

SOON = NOON + drawing.LEASE


def test_it_is_written_in_batches_of_their_own(
    make: Make, audience: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "BATCH", 5)
    run = drawing.draw(launch(make()), now=NOON)
    assert (run.state, run.audience, Recipient.objects.count()) == ("sending", 13, 13)


def test_what_another_worker_draws_is_left_to_it(make: Make, audience: list[int]) -> None:
    run = launch(make())
    Run.objects.filter(id=run.id).update(drawn_until=SOON)
    running.run_once(now=NOON)
    assert not Recipient.objects.exists()


def test_after_a_crash_the_audience_is_that_of_the_second_draw(
    make: Make, audience: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody whom the dead worker had written is in the segment no more."""
    run = launch(make())
    Run.objects.filter(id=run.id).update(drawn_until=NOON)
    gone = max(audience) + 1_000
    for contact_id in (audience[0], gone):
        Recipient.objects.create(run_id=run.id, contact_id=contact_id, group="A", due_at=NOON)
    drawn = drawing.draw(Run.objects.get(), now=SOON)
    assert drawn.audience == 13
    assert set(Recipient.objects.values_list("contact_id", flat=True)) == set(audience)


def test_cancelled_while_it_is_drawn_orders_nobody(
    make: Make, audience: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make()
    run = launch(made)
    write = drawing.write

    def interrupted(*given: Any) -> None:
        write(*given)
        launching.cancel(made.id, now=NOON)

    monkeypatch.setattr(drawing, "write", interrupted)
    assert drawing.draw(run, now=NOON).state == "cancelled"
    assert set(Recipient.objects.values_list("state", flat=True)) == {"dropped"}


def test_changed_while_it_is_drawn_stops_it(
    make: Make, audience: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SE-20"""
    run = launch(make())
    write = drawing.write

    def changed(*given: Any) -> None:
        write(*given)
        Campaign.objects.update(hold_out=50)

    monkeypatch.setattr(drawing, "write", changed)
    assert drawing.draw(run, now=NOON).problem == "changed_since_approval"
    assert Campaign.objects.get().state == "draft"


def test_what_repeats_has_its_next_time_with_the_draw(make: Make, audience: list[int]) -> None:
    made = make(starts_on=NOON.date(), starts_at=NOON.time(), repeats="FREQ=DAILY;COUNT=3")
    launch(made, now=NOON - timedelta(days=1))
    first = Run.objects.get()
    drawing.draw(first, now=first.due_at)
    assert list(made.runs.order_by("number").values_list("state", flat=True)) == ["sending", "due"]


def opened(contact_id: int, hour: int, *, times: int = 3, machine: bool = False) -> None:
    day = NOON.replace(hour=hour, minute=15) - timedelta(days=10)
    events.append(
        [
            events.NewEvent(
                contact_id=contact_id,
                kind="message.opened",
                occurred_at=day + timedelta(days=number),
                source="test",
                machine=machine,
            )
            for number in range(times)
        ],
        now=NOON,
    )


def dues() -> dict[int, datetime]:
    return dict(Recipient.objects.values_list("contact_id", "due_at"))


def test_each_gets_it_at_the_hour_of_their_own_openings(make: Make, audience: list[int]) -> None:
    """CA-74: programs do not count, and who opened too little gets it at its time."""
    evening, scanned, seldom, *_ = audience
    opened(evening, 19)
    opened(scanned, 20, machine=True)
    opened(seldom, 21, times=2)
    run = drawing.draw(launch(make(at_own_hour=True)), now=NOON)
    found = dues()
    assert found[evening] == datetime(NOON.year, NOON.month, NOON.day, 19, tzinfo=UTC)
    assert found[scanned] == found[seldom] == NOON
    assert run.at_own_hour == 1


def test_an_hour_that_comes_too_late_is_not_waited_for(make: Make, audience: list[int]) -> None:
    opened(audience[0], (NOON.hour - 2) % 24)
    drawing.draw(launch(make(at_own_hour=True, lasts_hours=6)), now=NOON)
    assert dues()[audience[0]] == NOON


def test_who_reads_in_the_evening_is_written_to_in_the_evening(
    make: Make, audience: list[int]
) -> None:
    opened(audience[0], 19)
    launch(make(at_own_hour=True))
    send()
    waiting = Recipient.objects.filter(state="pending").values_list("contact_id", flat=True)
    assert list(waiting) == [audience[0]]
    assert Run.objects.get().state == "sending"
    send(now=NOON.replace(hour=19))
    assert not Recipient.objects.filter(state="pending").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"trial_hours": 24}, "after more than 24 hours"), ({"trial_hours": 25}, "")],
)
def test_a_winner_is_not_named_before_everybody_had_their_hour(
    make: Make, letter: Template, given: dict[str, int], said: str
) -> None:
    made = make(letter.id, letter.id, trial_share=50, at_own_hour=True, **given)
    wrong = " ".join(one.message for one in planning.problems(made, now=NOON))
    assert said in wrong
    assert bool(said) == bool(wrong)


def test_a_rule_that_cannot_be_read_is_not_kept(make: Make) -> None:
    with pytest.raises(CampaignRefused, match="FREQ must be one of"):
        make(starts_on=NOON.date(), starts_at=NOON.time(), repeats="FREQ=SECONDLY")


def test_an_approval_covers_the_own_hours(make: Make, audience: list[int]) -> None:
    made = make()
    approve(made)
    Campaign.objects.update(at_own_hour=True)
    assert planning.standing(Campaign.objects.get()) is None
    assert MARA.id == made.changed_by
