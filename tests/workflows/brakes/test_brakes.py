"""A workflow that runs away is paused before anybody beyond is touched (PEERS, pains 3 and 10)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from messaging.models import Message, Template
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from workflows import enrol, publishing, runner
from workflows.brakes import tally
from workflows.brakes.tally import Settings
from workflows.brakes.turn import CEILING, SOON
from workflows.models import Enrolment, Pause, Tally, Workflow
from workflows.moving import pausing

SignedIn = Callable[[User], Client]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIGHT = Settings(most_a_day=10, floor=5, factor=2)


@pytest.fixture
def tight(at_harbor: Organisation) -> None:
    """An hour of five is never too much; twice the normal is."""
    tally.set_to(TIGHT)


def run(*, now: Any = NOON) -> None:
    while runner.run_once(now=now).claimed:
        pass


def some(count: int, name: str = "p") -> list[int]:
    made = people(*(f"{name}{number}" for number in range(count)))
    sign(made)
    return made


def state(workflow: Workflow) -> str:
    return Workflow.objects.values_list("state", flat=True).get(id=workflow.id)


@pytest.mark.usefixtures("tight")
def test_too_many_entries_pause_the_workflow_and_touch_nobody(publish: Publish) -> None:
    """CA-15"""
    workflow = publish()
    enrol.enrol(workflow.id, some(6), now=NOON)
    run()
    assert state(workflow) == "paused" and Message.objects.count() == 0
    assert set(Enrolment.objects.values_list("node", "state")) == {("educate", "waiting")}
    kept = Pause.objects.get()
    assert (kept.why, kept.figure, kept.most) == ("entry_rate", 6, 5)


@pytest.mark.usefixtures("tight")
def test_what_is_within_the_limit_goes_on(publish: Publish) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, some(5), now=NOON)
    run()
    assert state(workflow) == "live" and Message.objects.count() == 5


@pytest.mark.usefixtures("tight")
def test_entries_of_one_hour_add_up_and_the_next_begins_anew(publish: Publish) -> None:
    workflow = publish()
    for at in range(2):
        enrol.enrol(workflow.id, some(5, f"h{at}-"), now=NOON + at * HOUR)
        run(now=NOON + at * HOUR)
    assert state(workflow) == "live"
    enrol.enrol(workflow.id, some(6, "more"), now=NOON + 1.5 * HOUR)
    run(now=NOON + 1.5 * HOUR)
    assert state(workflow) == "paused" and Message.objects.count() == 10


@pytest.mark.usefixtures("tight")
def test_twice_the_busiest_hour_of_four_weeks_is_normal(publish: Publish) -> None:
    workflow = publish()
    Tally.objects.create(workflow_id=workflow.id, hour=NOON - DAY, entered=8, asked=8)
    enrol.enrol(workflow.id, some(16), now=NOON)
    run()
    assert state(workflow) == "live" and Message.objects.count() == 16


@pytest.mark.usefixtures("tight")
def test_an_hour_of_long_ago_is_forgotten(publish: Publish) -> None:
    workflow = publish()
    Tally.objects.create(workflow_id=workflow.id, hour=NOON - 40 * DAY, entered=80, asked=80)
    enrol.enrol(workflow.id, some(6), now=NOON)
    run()
    assert state(workflow) == "paused"


@pytest.mark.usefixtures("tight")
def test_whom_the_trigger_brings_at_once_was_expected(publish: Publish, women: str) -> None:
    sign(people(*(f"w{n}" for n in range(9)), gender="female"))
    workflow = publish(trigger={"kind": "segment", "segment": women, "present": True})
    assert workflow.expects == 9
    enrol.enrol(workflow.id, list(Enrolment.objects.values_list("contact_id", flat=True)), now=NOON)
    enrol.enrol(workflow.id, some(18, "x"), now=NOON)
    run()
    assert state(workflow) == "live"


@pytest.mark.usefixtures("tight")
def test_more_messages_than_people_inside_pause_it(publish: Publish) -> None:
    """The message rate counts by itself: here five come in and ten have been asked for."""
    workflow = publish()
    Tally.objects.create(workflow_id=workflow.id, hour=NOON, asked=8)
    enrol.enrol(workflow.id, some(5), now=NOON)
    run()
    assert state(workflow) == "paused"
    kept = Pause.objects.get()
    assert (kept.why, kept.figure, kept.most) == ("message_rate", 13, 10)
    assert Message.objects.count() == 0
    assert Enrolment.objects.filter(state="waiting", node="educate").count() == 5


@pytest.mark.usefixtures("tight")
def test_everybody_inside_may_get_one_in_the_same_hour(publish: Publish) -> None:
    """A wait for a date gathers people: that so many are inside is known."""
    workflow = publish()
    for at in range(3):
        enrol.enrol(workflow.id, some(5, f"h{at}-"), now=NOON + at * HOUR)
        run(now=NOON + at * HOUR)
    run(now=NOON + 4 * DAY)
    assert state(workflow) == "live"
    assert Counter(Message.objects.values_list("step", flat=True)) == {"educate": 15, "remind": 15}


@pytest.mark.usefixtures("tight")
def test_who_resumes_accepts_the_figure_and_everybody_is_sent_to_once(publish: Publish) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, some(40), now=NOON)
    run()
    pausing.resume(workflow.id, choice="send", now=NOON + HOUR / 2)
    run(now=NOON + HOUR / 2)
    assert state(workflow) == "live" and Message.objects.count() == 40


@pytest.mark.usefixtures("tight")
def test_the_trail_says_why_it_was_paused(publish: Publish) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, some(6), now=NOON)
    run()
    (entry,) = Entry.objects.filter(action="workflow.paused")
    assert json.loads(entry.detail) == {"reason": "entry_rate", "count": 6, "most": 5}


@pytest.mark.usefixtures("tight")
def test_other_workflows_in_the_same_turn_go_on(publish: Publish) -> None:
    first, second = publish(), publish(slug="other")
    crowd = some(6)
    enrol.enrol(first.id, crowd, now=NOON)
    enrol.enrol(second.id, crowd[:2], now=NOON)
    run()
    assert (state(first), state(second)) == ("paused", "live")
    assert set(Message.objects.values_list("source", flat=True)) == {second.id}


def test_nobody_gets_more_than_the_ceiling_over_all_workflows(publish: Publish, ada: int) -> None:
    """CA-15: three workflows want her the same minute, and two may."""
    tally.set_to(Settings(most_a_day=2))
    for number in range(3):
        enrol.enrol(publish(slug=f"w{number}").id, [ada], now=NOON)
    run()
    run(now=NOON + SOON)
    assert Message.objects.filter(contact_id=ada).count() == 2
    (held,) = Enrolment.objects.filter(waiting_for=CEILING)
    assert (held.node, held.due_at) == ("educate", NOON + DAY)


def test_whom_the_ceiling_held_goes_on_when_a_place_is_free(publish: Publish, ada: int) -> None:
    tally.set_to(Settings(most_a_day=1))
    for number in range(2):
        enrol.enrol(publish(slug=f"w{number}").id, [ada], now=NOON)
    run()
    run(now=NOON + DAY)
    assert Message.objects.filter(contact_id=ada, state="queued").count() == 2


def test_what_was_refused_takes_no_place(publish: Publish, cleo: int) -> None:
    tally.set_to(Settings(most_a_day=1))
    for number in range(2):
        enrol.enrol(publish(slug=f"w{number}").id, [cleo], now=NOON)
    run()
    run(now=NOON + SOON)
    assert not Enrolment.objects.filter(waiting_for=CEILING).exists()
    assert Message.objects.filter(contact_id=cleo, state="refused").count() == 2


@pytest.mark.usefixtures("tight")
def test_home_and_the_pages_say_what_the_brake_holds_and_how_to_go_on(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, some(6), now=NOON)
    run()
    client = sign_in_as(mara)
    assert "ran away and was paused" in client.get("/").content.decode()
    for page in (f"/workflows/{workflow.id}/", "/workflows/brakes/"):
        assert "More than 5 people would have come in" in client.get(page).content.decode()


def test_who_publishes_sets_the_brakes(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    given = {"most_a_day": "3", "factor": "4", "floor": "50"}
    assert sign_in_as(mara).post("/workflows/brakes/", given).status_code == 302
    assert tally.settings() == Settings(3, 50, 4)


def test_a_wrong_figure_is_named_and_changes_nothing(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    given = {"most_a_day": "0", "factor": "4", "floor": "50"}
    answer = sign_in_as(mara).post("/workflows/brakes/", given)
    assert answer.status_code == 422 and tally.settings() == Settings()


def test_an_analyst_sees_the_brakes_and_may_not_set_them(
    at_harbor: Organisation, sign_in_as: SignedIn
) -> None:
    anton = staff.add("anton@harbor.example", name="Anton", role=Role.ANALYST, now=NOON)
    client = sign_in_as(anton)
    assert "At most 10 messages" in client.get("/workflows/brakes/").content.decode()
    given = {"most_a_day": "3", "factor": "4", "floor": "50"}
    assert client.post("/workflows/brakes/", given).status_code == 403


@pytest.mark.usefixtures("tight")
def test_another_organisation_sees_no_brake_of_ours(
    publish: Publish, ivy: User, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    enrol.enrol(publish().id, some(6), now=NOON)
    run()
    page = sign_in_as(ivy).get("/workflows/brakes/").content.decode()
    assert "More than 5" not in page


def test_publishing_the_same_draft_again_expects_no_less(publish: Publish) -> None:
    workflow = publish()
    tally.expect(workflow.id, 70)
    publishing.publish(workflow.id, now=NOON)
    workflow.refresh_from_db()
    assert workflow.expects == 70


Draw = Callable[..., Workflow]
TWO = ("pause", "first", "second")


@pytest.fixture
def draw(mails: dict[str, Template]) -> Draw:
    """Publish some of these steps, one after the other: a day's wait, two mails, one mail."""
    mail: dict[str, Any] = {"kind": "send", "template": str(mails["educate"].id)}
    known: dict[str, dict[str, Any]] = {"pause": {"kind": "wait", "for": {"days": 1}},
             "first": mail, "second": mail, "only": mail}  # fmt: skip

    def drawn(*names: str) -> Workflow:
        ways = zip(names, [*names[1:], "end"], strict=True)
        nodes = [{"id": name, "next": then, **known[name]} for name, then in ways]
        draft = {"trigger": {"kind": "api"}, "start": names[0],
                 "nodes": [*nodes, {"id": "end", "kind": "exit"}]}  # fmt: skip
        made = publishing.create(names[0], slug=names[0], draft=draft, now=NOON)
        publishing.publish(made.id, now=NOON)
        return made

    return drawn


def go(workflow: Workflow, contacts: list[int], *, now: Any = NOON) -> None:
    enrol.enrol(workflow.id, contacts, now=now)
    run(now=now)


def test_skipping_on_resume_asks_for_the_message_after_it_under_the_ceiling(
    draw: Draw,
) -> None:
    """PEERS, pains 5 and 10: nobody is doubled, nobody is lost, the totals add up."""
    tally.set_to(Settings(most_a_day=1, floor=2_000, factor=5))
    workflow, back = draw(*TWO), NOON + 3 * DAY
    made = some(6)
    go(workflow, made)
    pausing.pause(workflow.id, now=NOON)
    busy = draw("only")
    go(busy, made[:4], now=back)
    assert Counter(Message.objects.values_list("step", flat=True)) == {"only": 4}
    pausing.resume(workflow.id, choice="skip", now=back)
    run(now=back)
    assert Counter(Message.objects.values_list("step", flat=True)) == {"only": 4, "second": 2}
    inside = Enrolment.objects.filter(workflow_id=workflow.id)
    assert Counter(inside.values_list("node", "state", "waiting_for")) == {
        ("second", "waiting", CEILING): 4, ("end", "done", ""): 2}  # fmt: skip
    run(now=back + DAY)
    steps = Counter(Message.objects.values_list("step", flat=True))
    assert steps == {"only": 4, "second": 6} and set(inside.values_list("state", flat=True)) == {
        "done"
    }


def test_skipping_takes_past_the_message_whom_the_ceiling_held(
    draw: Draw,
) -> None:
    tally.set_to(Settings(most_a_day=1, floor=2_000, factor=5))
    workflow, made = draw(*TWO), some(3)
    go(workflow, made)
    run(now=NOON + DAY)
    assert set(Enrolment.objects.values_list("node", "waiting_for")) == {("second", CEILING)}
    pausing.pause(workflow.id, now=NOON + DAY)
    pausing.resume(workflow.id, choice="skip", now=NOON + 3 * DAY)
    run(now=NOON + 3 * DAY)
    assert Counter(Message.objects.values_list("step", flat=True)) == {"first": 3}
    assert set(Enrolment.objects.values_list("outcome", flat=True)) == {"finished"}


@pytest.mark.usefixtures("tight")
def test_skipping_after_a_brake_lets_everybody_in_and_counts_them(draw: Draw) -> None:
    workflow, made = draw(*TWO[1:]), some(9)
    go(workflow, made)
    assert state(workflow) == "paused" and Message.objects.count() == 0
    pausing.resume(workflow.id, choice="skip", now=NOON)
    run()
    assert state(workflow) == "live"
    assert Counter(Message.objects.values_list("step", flat=True)) == {"second": 9}
    kept = Tally.objects.get(workflow_id=workflow.id)
    assert (kept.entered, kept.asked) == (9, 9)


@pytest.mark.usefixtures("tight")
def test_messages_after_the_skipped_one_that_are_too_many_pull_the_brake_and_lose_nobody(
    draw: Draw,
) -> None:
    workflow, made = draw(*TWO), some(4)
    go(workflow, made)
    pausing.pause(workflow.id, now=NOON)
    back = NOON + 3 * DAY
    Tally.objects.create(workflow_id=workflow.id, hour=tally.hour_of(back), asked=50)
    pausing.resume(workflow.id, choice="skip", now=back)
    run(now=back + SOON)
    assert Pause.objects.filter(resumed_at=None).get().why == "message_rate"
    assert Message.objects.count() == 0
    assert set(Enrolment.objects.values_list("node", "state")) == {("second", "waiting")}
    pausing.resume(workflow.id, choice="send", now=back + HOUR)
    run(now=back + HOUR)
    assert Counter(Message.objects.values_list("step", flat=True)) == {"second": 4}
