"""People move through a published workflow: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from accounts import tenancy
from accounts.models import Organisation
from consent import ledger
from contacts import events, lists
from contacts.events import NewEvent
from contacts.models import ListMember
from messaging.models import Message
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from workflows import enrol, funnel, publishing, runner, triggers
from workflows.models import Enrolment, Move, Workflow
from workflows.moving import pausing

DAY = timedelta(days=1)
DEADLINE = NOON + 3 * DAY


def go(workflow: Workflow, *contacts: int, now: datetime = NOON) -> None:
    enrol.enrol(workflow.id, contacts, now=now)
    runner.run_once(now=now)


def mail(contact_id: int) -> list[str]:
    sent = Message.objects.filter(contact_id=contact_id).order_by("id")
    return [f"{one.step}:{one.refusal_code or one.state}" for one in sent]


def happened(contact_id: int, kind: str, *, at: datetime, **more: Any) -> None:
    events.append([NewEvent(contact_id=contact_id, kind=kind, occurred_at=at, **more)], now=at)


def click(contact_id: int, *, at: datetime, step: str = "educate", machine: bool = False) -> None:
    message = Message.objects.get(contact_id=contact_id, step=step)
    happened(contact_id, "message.clicked", at=at, message_id=message.id, machine=machine)


def places(workflow: Workflow) -> dict[int, str]:
    rows = Enrolment.objects.filter(workflow_id=workflow.id)
    return {one.contact_id: one.node if one.state == "waiting" else one.outcome for one in rows}


def test_an_enrolled_person_is_sent_the_first_message(publish: Publish, ada: int) -> None:
    """CA-01, CA-02"""
    workflow = publish()
    go(workflow, ada)
    assert mail(ada) == ["educate:queued"] and places(workflow) == {ada: "clicked"}


def test_a_person_without_a_signature_leaves_with_the_reason(publish: Publish, cleo: int) -> None:
    """PR-03"""
    workflow = publish()
    go(workflow, cleo)
    assert places(workflow) == {cleo: "refused:no_authorization"}
    assert mail(cleo) == ["educate:no_authorization"]


def test_an_authorization_is_judged_when_the_step_comes_not_at_entry(
    publish: Publish, at_harbor: Organisation
) -> None:
    """PR-03: enrolled on day 0, expired before the reminder."""
    (one,) = people("ben")
    sign([one], until=(NOON + DAY).date())
    workflow = publish()
    go(workflow, one)
    runner.run_once(now=DEADLINE)
    assert mail(one) == ["educate:queued", "remind:auth_expired"]


def test_silence_brings_the_reminder(publish: Publish, ada: int) -> None:
    """CA-05"""
    workflow = publish()
    go(workflow, ada)
    assert runner.run_once(now=DEADLINE - timedelta(seconds=1)).claimed == 0
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["remind:queued"] and places(workflow) == {ada: "finished"}


def test_a_click_by_the_deadline_brings_the_invitation(publish: Publish, ada: int) -> None:
    """CA-04, CA-07: even where nothing woke the person, the deadline looks once more."""
    workflow = publish()
    go(workflow, ada)
    click(ada, at=NOON + DAY)
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["invite:queued"]


def test_what_a_machine_clicked_moves_nobody(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    click(ada, at=NOON + DAY, machine=True)
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["remind:queued"]


def test_a_click_on_another_message_moves_nobody(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    happened(ada, "message.clicked", at=NOON + DAY, message_id=4711)
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["remind:queued"]


def test_a_click_after_the_deadline_is_too_late(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    click(ada, at=DEADLINE + timedelta(seconds=1))
    runner.run_once(now=DEADLINE + DAY)
    assert mail(ada)[1:] == ["remind:queued"]


def test_running_again_moves_nobody_twice(publish: Publish, ada: int) -> None:
    """EM-10, CA-15"""
    workflow = publish()
    go(workflow, ada)
    assert [runner.run_once(now=NOON).claimed for _ in "abc"] == [0, 0, 0]
    assert mail(ada) == ["educate:queued"]


def test_a_person_goes_through_a_workflow_once(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    assert enrol.enrol(workflow.id, [ada], now=NOON + DAY) == 0


def test_another_occurrence_lets_the_person_in_again(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    assert enrol.enrol(workflow.id, [ada], occurrence="visit-2", now=NOON) == 1
    runner.run_once(now=NOON)
    assert mail(ada) == ["educate:queued"] * 2


def test_a_branch_asks_the_segment_language(publish: Publish, ada: int) -> None:
    """CA-07"""
    workflow = publish(
        clicked={
            "kind": "branch",
            "if": {"field": "gender", "op": "equals", "value": "female"},
            "yes": "invite",
            "no": "remind",
            **dict.fromkeys(["event", "of", "up_to", "heard", "unheard"]),
        }
    )
    (man,) = people("man", gender="male")
    sign([man])
    go(workflow, ada, man)
    assert (mail(ada)[1:], mail(man)[1:]) == (["invite:queued"], ["remind:queued"])


def test_a_branch_whose_segment_broke_holds_people_where_they_are(
    publish: Publish, women: str, ada: int
) -> None:
    from contacts.segments import catalogue
    from contacts.segments.models import Segment

    workflow = publish(
        clicked={
            "kind": "branch",
            "if": {"segment": women},
            "yes": "invite",
            "no": "remind",
            **dict.fromkeys(["event", "of", "up_to", "heard", "unheard"]),
        }
    )
    catalogue.archive(Segment.objects.get(id=women), now=NOON)
    go(workflow, ada)
    assert places(workflow) == {ada: "clicked"} and len(mail(ada)) == 1


def test_a_change_of_a_field_is_seen_by_the_branch_behind_it(publish: Publish, ada: int) -> None:
    """CA-02, CA-06"""
    workflow = publish(
        educate={"kind": "update", "template": None, "set": {"plan": "Gold"}},
        clicked={
            "kind": "branch",
            "if": {"field": "plan", "op": "equals", "value": "Gold"},
            "yes": "invite",
            "no": "remind",
            **dict.fromkeys(["event", "of", "up_to", "heard", "unheard"]),
        },
    )
    go(workflow, ada)
    assert mail(ada) == ["invite:queued"]


def test_a_list_step_puts_people_on_the_list(publish: Publish, ada: int) -> None:
    class_list = lists.create("Class", now=NOON)
    workflow = publish(invite={"kind": "list", "template": None, "add": str(class_list.id)})
    go(workflow, ada)
    click(ada, at=NOON + DAY)
    runner.run_once(now=DEADLINE)
    assert list(ListMember.objects.values_list("contact_id", flat=True)) == [ada]


def test_an_exit_can_send_people_on_to_another_workflow(publish: Publish, ada: int) -> None:
    """CA-14"""
    second = publish(slug="second")
    first = publish(end={"enter": str(second.id)})
    go(first, ada)
    runner.run_once(now=DEADLINE)
    assert places(second) == {ada: "educate"}


def test_a_paused_workflow_holds_everybody(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    pausing.pause(workflow.id, now=NOON)
    assert runner.run_once(now=DEADLINE).claimed == 0
    pausing.resume(workflow.id, now=DEADLINE)
    assert runner.run_once(now=DEADLINE).claimed == 1


def test_who_is_inside_stays_on_the_version_of_entry(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    draft = dict(workflow.draft)
    draft["nodes"] = [
        {**one, "next": "end"} if one["id"] == "educate" else one for one in draft["nodes"]
    ]
    draft["nodes"] = [one for one in draft["nodes"] if one["id"] in ("educate", "end")]
    publishing.save_draft(workflow, draft, now=NOON)
    assert publishing.publish(workflow.id, now=NOON).number == 2
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["remind:queued"]


@pytest.mark.parametrize(
    "statement",
    [
        "update workflows_workflowversion set graph = '{}'",
        "delete from workflows_workflowversion",
        "update workflows_move set way = 'heard'",
        "delete from workflows_move",
    ],
)
def test_the_database_refuses_to_change_what_was_published_or_passed(
    publish: Publish, ada: int, statement: str
) -> None:
    go(publish(), ada)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_same_step_cannot_be_left_twice(publish: Publish, ada: int) -> None:
    """CA-15: the database's own guard, should two workers ever meet."""
    go(publish(), ada)
    Enrolment.objects.update(node="educate", path=[], state="waiting", due_at=NOON)
    runner.run_once(now=NOON)
    assert Message.objects.count() == 1 and Move.objects.count() == 1
    assert Enrolment.objects.get().waiting_for == "stuck.IntegrityError"


def test_many_people_cost_no_more_statements_than_few(publish: Publish, ada: int) -> None:
    workflow = publish()

    def statements(numbers: Iterable[str]) -> int:
        some = people(*numbers)
        sign(some)
        enrol.enrol(workflow.id, some, now=NOON)
        with CaptureQueriesContext(connection) as seen:
            runner.run_once(now=NOON)
        return len(seen)

    statements(["warm"])
    assert statements(f"m{n}" for n in range(60)) <= statements(["a", "b"])


def test_the_funnel_accounts_for_everybody(publish: Publish, ada: int, cleo: int) -> None:
    """CA-16"""
    workflow = publish()
    some = people("u", "v", "w")
    sign(some)
    go(workflow, ada, cleo, *some)
    click(some[0], at=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=DEADLINE)
    assert workflow.live is not None
    steps = {one.node: one for one in funnel.counts(workflow.live.id)}
    assert steps["educate"].arrived == 5 and steps["educate"].left == {
        "refused:no_authorization": 1
    }
    assert steps["clicked"].ways == {"heard": 1, "unheard": 3}
    assert steps["educate"].mail == {"queued": 4, "refused": 1}


def test_what_became_of_everybody_adds_up(publish: Publish, ada: int, cleo: int) -> None:
    workflow = publish()
    go(workflow, ada, cleo)
    assert workflow.live is not None
    found = funnel.fates(workflow.live.id)
    assert (found.enrolled, found.inside, found.refused, found.adds_up) == (2, 1, 1, True)


def test_a_page_shows_who_waits_at_a_step(publish: Publish, ada: int) -> None:
    """CA-16"""
    workflow = publish()
    go(workflow, ada)
    assert workflow.live is not None
    assert [one.contact_id for one in funnel.people(workflow.live.id, "clicked")] == [ada]


def test_another_organisation_moves_nobody_of_ours(
    publish: Publish, ada: int, hill: Organisation
) -> None:
    """SE-01"""
    enrol.enrol(publish().id, [ada], now=NOON)
    with tenancy.acting_for(hill.pk):
        assert runner.run_once(now=NOON).claimed == 0


def test_a_revocation_before_the_next_step_refuses_it(publish: Publish, ada: int) -> None:
    """PR-04"""
    go(publish(), ada)
    ledger.revoke_all(ada, received_by="portal", now=NOON + DAY)
    runner.run_once(now=DEADLINE)
    assert mail(ada)[1:] == ["remind:auth_revoked"]


def test_what_a_branch_betrays_must_be_covered_by_the_signature(
    publish: Publish, at_harbor: Organisation
) -> None:
    """PR-09: a mail that only members of plan Gold get says that one is a member."""
    (one,) = people("gus", plan="Gold")
    sign([one], classes=frozenset({"identity", "clinical"}))
    workflow = publish(
        clicked={
            "kind": "branch",
            "if": {"field": "plan", "op": "equals", "value": "Gold"},
            "yes": "invite",
            "no": "remind",
            **dict.fromkeys(["event", "of", "up_to", "heard", "unheard"]),
        }
    )
    go(workflow, one)
    assert mail(one) == ["educate:queued", "invite:phi_out_of_scope"]


@pytest.mark.parametrize("apart", [0, 1])
def test_people_moved_in_one_turn_keep_their_own_moments_and_messages(
    publish: Publish, at_harbor: Organisation, apart: int
) -> None:
    """Let in together, they travel by stretches; one by one, as rows. It is written alike."""
    workflow, made = publish(), people(*(f"p{number}" for number in range(7)))
    sign(made[1:])
    for number, one in enumerate(made):
        enrol.enrol(workflow.id, [one], now=NOON + apart * number * timedelta(microseconds=1))
    runner.run_once(now=NOON + DAY)
    came = dict(Enrolment.objects.values_list("id", "contact_id"))
    moves = {came[one.enrolment_id]: one for one in Move.objects.all()}
    assert {one: places(workflow)[one] for one in made} == {
        made[0]: "refused:no_authorization", **dict.fromkeys(made[1:], "clicked")
    }  # fmt: skip
    sent = dict(Message.objects.exclude(state="refused").values_list("contact_id", "id"))
    assert {one: moves[one].message_id for one in made[1:]} == sent
    for number, one in enumerate(made[1:], start=1):
        assert moves[one].arrived_at == NOON + apart * number * timedelta(microseconds=1)
        assert moves[one].left_at == NOON + DAY
