"""A workflow tried under a virtual clock: same engine, same gate, nobody touched."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Organisation
from consent.purposes import Remuneration
from consent.sending import terms
from messaging.models import Message
from messaging.paying import stating
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from tests.workflows.test_runner import DEADLINE, click, go
from workflows import runner
from workflows.models import Enrolment, Move, Simulation, Workflow
from workflows.simulate import keeping, plan, trying
from workflows.simulate.course import Course

DAY = timedelta(days=1)


def simulated(workflow: Workflow, **raw: Any) -> Course:
    assert workflow.live is not None
    read = plan.read({"starts_at": NOON.isoformat(), "days": 30, **raw}, now=NOON)
    course = keeping.course_of(trying.of_version(workflow.live), read, now=NOON)
    assert all(0 <= share <= 1 for share in course.run())
    return course


def of(*ids: int) -> dict[str, Any]:
    from contacts.models import Contact

    named = dict(Contact.objects.filter(id__in=ids).values_list("id", "public_id"))
    return {"kind": "contacts", "contacts": [str(named[one]) for one in ids]}


def states(course: Course) -> list[dict[str, str]]:
    return [
        {node: mail.code or mail.state for node, mail in one.mails.items()} for one in course.people
    ]


def digests() -> dict[str, str]:
    """Return a digest of every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            rows = f"select md5(t::text) from {table} t order by 1"
            cursor.execute(rows)
            found[table] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found


def test_a_simulation_writes_nothing_but_its_own_record(
    publish: Publish, ada: int, cleo: int
) -> None:
    workflow, before = publish(), digests()
    made = keeping.start(workflow, {"people": of(ada, cleo), "days": 9}, number=1, now=NOON)
    keeping.work(made, now=NOON)
    assert made.result["mails"] == {"sent": 2, "refused": 1}
    after = digests()
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"workflows_simulation", "audit_entry"}


def test_the_live_runner_and_the_simulator_leave_the_same_trace(
    publish: Publish, ada: int, cleo: int
) -> None:
    workflow = publish()
    go(workflow, ada, cleo)
    runner.run_once(now=DEADLINE)
    course = simulated(workflow, people=of(ada, cleo))
    for person in course.people:
        row = Enrolment.objects.get(contact_id=person.contact_id)
        moves = Move.objects.filter(enrolment_id=row.id).order_by("left_at", "arrived_at")
        lived = {(one.node, one.way, one.arrived_at, one.left_at) for one in moves}
        assert lived == {(p.node, p.way, p.arrived_at, p.left_at) for p in person.passed}
        assert (row.outcome, row.node) == (person.outcome, person.place.node)


def test_a_payment_for_a_step_stops_its_mail_in_a_trial_as_live(publish: Publish, ada: int) -> None:
    """PR-02: her authorization says nothing of a payment."""
    workflow = publish()
    paid = Remuneration("Acme", "Acme", amount=100, cost=40)
    stating.state(workflow.id, paid, step="educate", now=NOON)
    (mails,) = states(simulated(workflow, people=of(ada)))
    assert mails["educate"] == "remunerated"
    go(workflow, ada)
    assert Message.objects.get(step="educate").refusal_code == "remunerated"


def test_a_click_takes_the_same_way_as_live(publish: Publish, ada: int) -> None:
    workflow = publish()
    act = {"event": "message.clicked", "of": "educate", "after": {"days": 1}}
    course = simulated(workflow, people=of(ada), events=[act])
    go(workflow, ada)
    click(ada, at=NOON + DAY)
    runner.run_once(now=DEADLINE)
    lived = set(Move.objects.values_list("node", "way"))
    assert lived == {(one.node, one.way) for one in course.people[0].passed}
    assert ("clicked", "heard") in lived


def test_the_same_seed_gives_the_same_result(publish: Publish) -> None:
    workflow = publish()
    raw = {
        "people": {"kind": "synthetic", "count": 40, "authorized": 0.5},
        "messages": {"educate": {"opens": 0.5, "clicks": 0.4}},
    }
    told = [[one.told() for one in simulated(workflow, seed=s, **raw).people] for s in (7, 7, 8)]
    assert told[0] == told[1] != told[2]


def test_an_authorization_expires_under_the_virtual_clock(
    publish: Publish, at_harbor: Organisation
) -> None:
    """PR-03"""
    (one,) = people("ben")
    sign([one], until=(NOON + DAY).date())
    course = simulated(publish(), people=of(one))
    assert states(course) == [{"educate": "sent", "remind": "auth_expired"}]


def test_a_revocation_in_the_simulation_refuses_what_comes_after(
    publish: Publish, ada: int
) -> None:
    """PR-04"""
    act = {"event": "consent.revoked", "after": {"days": 2}}
    course = simulated(publish(), people=of(ada), events=[act])
    assert states(course) == [{"educate": "sent", "remind": "auth_revoked"}]


def test_a_death_ends_the_journey(publish: Publish, ada: int) -> None:
    act = {"event": "contact.deceased", "after": {"days": 1}}
    course = simulated(publish(), people=of(ada), events=[act])
    assert course.people[0].outcome == "deceased"


def test_a_full_cap_refuses_the_second_mail(publish: Publish, ada: int) -> None:
    terms.add_cap(most=1, days=7, channels=["email"], purposes=[], when_full="refuse", now=NOON)
    course = simulated(publish(), people=of(ada))
    assert states(course) == [{"educate": "sent", "remind": "cap_reached"}]


def test_a_branch_sees_what_a_step_before_it_set(publish: Publish, ada: int) -> None:
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
    assert states(simulated(workflow, people=of(ada))) == [{"invite": "sent"}]


def test_a_promise_that_is_broken_fails_the_command(publish: Publish) -> None:
    workflow = publish()
    people_ = {"kind": "synthetic", "count": 20, "authorized": 0.5}
    keeping.keep(workflow, {"people": people_}, [{"kind": "all_exit", "days": 60}], now=NOON)
    call_command("simulate", "series", "--assertions", "--organisation", "harbor", "--release", "1")
    keeping.keep(workflow, {"people": people_}, [{"kind": "all_exit", "days": 1}], now=NOON)
    with pytest.raises(CommandError, match="broken"):
        call_command("simulate", "series", "--assertions", "--organisation", "harbor")


def test_what_a_plan_says_wrong_is_named_at_once(publish: Publish) -> None:
    raw = {"people": {"kind": "some"}, "days": 0, "messages": {"nowhere": {}}, "x": 1}
    with pytest.raises(plan.PlanInvalid) as refused:
        keeping.start(publish(), raw, now=NOON)
    assert {one.code for one in refused.value.problems} == {"bad_value", "unknown_key"}
    assert Simulation.objects.count() == 0


def test_a_large_simulation_is_left_to_the_background(publish: Publish) -> None:
    many = {"people": {"kind": "synthetic", "count": keeping.AT_ONCE + 1}}
    made = keeping.start(publish(), many, number=1, now=NOON)
    keeping.attempt(made, now=NOON)
    assert made.state == "waiting" and keeping.run_once(now=NOON) == 1
    made.refresh_from_db()
    assert made.result["people"] == keeping.AT_ONCE + 1 and keeping.run_once(now=NOON) == 0
