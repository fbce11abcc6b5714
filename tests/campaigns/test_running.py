"""Audiences, orders, trials, holding out, repeating and ending, on the real outbox and sender."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest

from audit.actor import acting_as
from consent import ledger
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.campaigns import drawing, figures, launching, running
from marketing.campaigns.models import Campaign, Recipient, Run
from messaging.models import Message, Template
from tests.campaigns.conftest import MARA, Make, approve, launch, send
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN, people, sign


def states() -> Counter[str]:
    return Counter(Message.objects.values_list("state", flat=True))


def test_everybody_who_agreed_gets_one_and_who_did_not_is_refused(
    make: Make, audience: list[int]
) -> None:
    launch(make())
    send()
    assert states() == {"sent": 12, "refused": 1}


def test_it_is_over_when_nothing_waits(make: Make, audience: list[int]) -> None:
    launch(make())
    send()
    run = Run.objects.get()
    assert (run.state, run.percent, Campaign.objects.get().state) == ("done", 100, "done")


def test_a_loop_that_is_run_twice_orders_nobody_twice(make: Make, audience: list[int]) -> None:
    run = launch(make())
    running.run_once(now=NOON)
    drawing.draw(run, now=NOON)
    running.run_once(now=NOON)
    assert Message.objects.count() == 13


def test_a_crash_while_ordering_leaves_everybody_pending(
    make: Make, audience: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(make())

    def broken(*_: object, **__: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr("messaging.outbox.enqueue", broken)
        running.run_once(now=NOON)
    assert Counter(Recipient.objects.values_list("state", flat=True)) == {"pending": 13}
    send()
    assert states()["sent"] == 12


def test_the_messages_say_what_the_audience_says(make: Make, audience: list[int]) -> None:
    """W8: who gets it is a fact of the segment's class, though the mail prints nothing of it."""
    launch(make())
    send()
    assert all("demographic" in one.classes for one in Message.objects.all())


def test_who_withdraws_after_the_draw_gets_nothing(make: Make, audience: list[int]) -> None:
    """PR-03: the gate is asked again for each message when it is claimed."""
    launch(make())
    running.run_once(now=NOON)
    ledger.revoke_all(audience[0], received_by="paper", now=NOON)
    send()
    assert states() == {"sent": 11, "refused": 2}


def test_who_is_held_out_gets_nothing_and_is_counted(make: Make, audience: list[int]) -> None:
    sign(people(*(f"more{n}" for n in range(60)), gender="female"))
    launch(make(hold_out=50))
    send()
    found = figures.read(Run.objects.get())
    assert 10 < found.held_out + found.barred < 63
    assert Message.objects.count() == 73 - found.held_out - found.barred


def test_who_is_held_out_without_consent_is_no_comparison(make: Make, audience: list[int]) -> None:
    launch(make(hold_out=90))
    send()
    barred = Recipient.objects.filter(state="barred").values_list("contact_id", flat=True)
    assert set(barred) <= {audience[-1]}


def test_left_out_is_who_is_in_the_other_segment(make: Make, audience: list[int]) -> None:
    sign(people("extra", gender="female", city="Lynn"))
    lynn = catalogue.save(
        name="Lynn", tree={"field": "city", "op": "equals", "value": "Lynn"}, now=NOON
    )
    launch(make(excluded_id=lynn.id))
    send()
    assert states()["sent"] == 12


def test_more_people_than_the_ceiling_and_nobody_is_written_to(
    make: Make, audience: list[int]
) -> None:
    launch(make(ceiling=12))
    send()
    run = Run.objects.get()
    assert (run.problem, Message.objects.count()) == ("over_the_ceiling", 0)
    assert Campaign.objects.get().state == "draft"


def test_a_segment_that_changed_since_stops_the_run(
    make: Make, women: Segment, audience: list[int]
) -> None:
    launch(make(starts_on=date(2026, 3, 3), starts_at=time(9)))
    catalogue.save(name="Women", tree={"not": WOMEN}, now=NOON, segment_id=women.id)
    send(now=NOON + timedelta(days=2))
    assert (Run.objects.get().problem, Message.objects.count()) == ("changed_since_approval", 0)


def test_a_broken_segment_stops_the_run(make: Make, women: Segment, audience: list[int]) -> None:
    launch(make(starts_on=date(2026, 3, 3), starts_at=time(9)))
    Segment.objects.filter(pk=women.pk).update(status=Segment.Status.INVALID)
    send(now=NOON + timedelta(days=2))
    assert (Run.objects.get().problem, Message.objects.count()) == ("segment_unusable", 0)


def test_it_waits_for_its_time(make: Make, audience: list[int]) -> None:
    """9:00 in Boston is 14:00 UTC in winter."""
    launch(make(starts_on=date(2026, 3, 3), starts_at=time(9)))
    send(now=datetime(2026, 3, 3, 13, 59, tzinfo=UTC))
    assert Message.objects.count() == 0
    send(now=datetime(2026, 3, 3, 14, 0, tzinfo=UTC))
    assert states()["sent"] == 12


def test_each_gets_it_by_the_clock_where_they_live(make: Make, women: Segment) -> None:
    west = people("west", gender="female", state="CA")
    home = people("home", gender="female", state="MA")
    unknown = people("unknown", gender="female")
    sign([*west, *home, *unknown])
    launch(make(starts_on=date(2026, 3, 3), starts_at=time(9), each_zone=True))
    running.run_once(now=datetime(2026, 3, 3, 14, 30, tzinfo=UTC))
    due = dict(Recipient.objects.values_list("contact_id", "due_at"))
    assert due[west[0]] == datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert due[home[0]] == due[unknown[0]] == datetime(2026, 3, 3, 14, 30, tzinfo=UTC)


def test_it_repeats_and_comes_to_its_end(make: Make, audience: list[int]) -> None:
    launch(make(starts_on=date(2026, 3, 3), starts_at=time(9), repeats="FREQ=DAILY;COUNT=2"))
    for day in (3, 4, 5):
        send(now=datetime(2026, 3, day, 15, tzinfo=UTC))
    assert states()["sent"] == 24
    assert [one.state for one in Run.objects.all()] == ["done", "done"]
    assert Campaign.objects.get().state == "done"


def test_paused_orders_nobody_and_resumed_goes_on(make: Make, audience: list[int]) -> None:
    made = make()
    launch(made)
    with acting_as(MARA):
        assert launching.pause(made.id, now=NOON)
    send()
    assert Message.objects.count() == 0
    with acting_as(MARA):
        assert launching.resume(made.id, now=NOON)
    send()
    assert states()["sent"] == 12


def test_cancelled_takes_back_what_waits(make: Make, audience: list[int]) -> None:
    made = make()
    launch(made)
    running.run_once(now=NOON)
    with acting_as(MARA):
        assert launching.to_go(made) == 12
        assert launching.cancel(made.id, now=NOON) == 12
    send()
    assert states() == {"cancelled": 12, "refused": 1}


def test_a_stopped_campaign_is_approved_and_launched_again(make: Make, audience: list[int]) -> None:
    from marketing.campaigns import planning
    from tests.campaigns.test_planning import _draft

    made = make(ceiling=12)
    launch(made)
    send()
    with acting_as(MARA):
        planning.change(made.id, _draft(made, ceiling=20), now=NOON)
    launch(made)
    send()
    assert (Run.objects.count(), states()["sent"]) == (2, 12)


@pytest.fixture
def two(make: Make, letter: Template, women: Segment) -> Campaign:
    """A trial of two messages on half of two hundred women; the rest wait for the winner."""
    sign(people(*(f"w{n}" for n in range(200)), gender="female"))
    other = template("other", subject="Other news")
    approved(other)
    return make(letter.id, other.id, trial_share=50, trial_hours=4)


def _click(run: Run, letter: str, share: float) -> None:
    from contacts import events

    sent = list(Message.objects.filter(source=run.id, step=letter, state="sent"))
    events.append(
        [
            events.NewEvent(
                contact_id=one.contact_id,
                kind="message.clicked",
                occurred_at=NOON,
                source="mail",
                campaign=one.version.template_id,
                message_id=one.id,
            )
            for one in sent[: int(len(sent) * share)]
        ],
        now=NOON,
    )


def test_the_rest_wait_and_get_the_winner(two: Campaign) -> None:
    run = launch(two)
    send()
    assert not Message.objects.filter(step="rest").exists()
    _click(run, "A", 0.1)
    _click(run, "B", 0.6)
    send(now=NOON + timedelta(hours=4))
    run.refresh_from_db()
    rest = Message.objects.filter(step="rest")
    assert run.winner == "B"
    assert {str(one.version_id) for one in rest} == {run.pinned["B"]}


def test_where_chance_explains_the_difference_the_first_goes_out_and_says_so(
    two: Campaign,
) -> None:
    run = launch(two)
    send()
    send(now=NOON + timedelta(hours=4))
    run.refresh_from_db()
    assert (run.winner, "no winner is named" in run.verdict) == ("A", True)
    assert Message.objects.count() == 200


def test_each_person_is_in_one_group(two: Campaign) -> None:
    launch(two)
    send()
    send(now=NOON + timedelta(hours=4))
    assert Message.objects.values("contact_id").distinct().count() == 200


def test_figures_add_up_to_the_audience(two: Campaign) -> None:
    run = launch(two)
    send()
    run = Run.objects.select_related("campaign").get(id=run.id)
    found = figures.refresh(run, now=NOON)
    assert 60 < found.settled < 140
    assert found.settled + found.pending == run.audience == 200


def test_the_goal_is_compared_with_those_held_out(make: Make, women: Segment) -> None:
    sign(people(*(f"w{n}" for n in range(60)), gender="female"))
    run = launch(make(hold_out=50, goal_kind="appointment.booked", goal_days=7))
    send()
    from contacts import events

    written = Message.objects.filter(source=run.id).values_list("contact_id", flat=True)
    events.append(
        [
            events.NewEvent(
                contact_id=one,
                kind="appointment.booked",
                occurred_at=NOON + timedelta(days=1),
                source="ehr",
            )
            for one in written
        ],
        now=NOON + timedelta(days=1),
    )
    figures.refresh(Run.objects.select_related("campaign").get(), now=NOON + timedelta(days=1))
    found = figures.effect(figures.read(Run.objects.get()))
    assert found is not None
    assert (found.written.share, found.hold.share) == (1.0, 0.0)
    assert found.interval.low > 0.5


def test_an_approval_alone_sends_nothing(make: Make, audience: list[int]) -> None:
    approve(make())
    send()
    assert Message.objects.count() == 0


def test_a_merged_person_is_written_to_once(make: Make, audience: list[int]) -> None:
    from marketing.campaigns.merged import Recipients

    run = launch(make())
    drawing.draw(run, now=NOON)
    Recipients().move(audience[0], audience[1], now=NOON)
    send()
    assert states()["sent"] == 11


def test_a_person_who_was_not_in_it_takes_the_place_and_gives_it_back(
    make: Make, audience: list[int]
) -> None:
    from marketing.campaigns.merged import Recipients

    (other,) = people("other", gender="male")
    run = launch(make())
    drawing.draw(run, now=NOON)
    moved = Recipients().move(audience[0], other, now=NOON)
    assert Recipient.objects.filter(contact_id=other).count() == 1
    Recipients().back(audience[0], other, moved, now=NOON)
    assert Recipient.objects.filter(contact_id=audience[0]).count() == 1
