"""The drawing that is asked for again: as it stands, how long people stay, beside a simulation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from marketing.web.workflow_figures import lasted
from tests.conftest import NOON
from tests.reports.conftest import Enter, clinical_trial, enter, let_in, mails, send_all, trial
from workflows import runner
from workflows.models import Workflow
from workflows.simulate import keeping

__all__ = ["clinical_trial", "enter", "mails", "trial"]
SignIn = Callable[[User], Client]
PLAN = {"people": {"kind": "synthetic", "count": 40, "authorized": 1.0}, "days": 9, "seed": 3}


def drawn(client: Client, workflow: Workflow, show: str = "") -> dict[str, Any]:
    answer = client.get(f"/workflows/{workflow.id}/1/drawing.json?show={show}")
    plan: dict[str, Any] = answer.json()
    return {box["id"]: box for box in plan["steps"]} | {"ways": plan["ways"]}


def told(box: dict[str, Any]) -> dict[str, str]:
    return {one["label"]: one["value"] for one in box["figures"]}


def test_the_counts_of_now_are_those_of_now(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-16"""
    client = sign_in_as(omar)
    assert told(drawn(client, trial)["trigger"])["entered"] == "0"
    enter(8)
    sent = len(send_all())
    found = drawn(client, trial)
    assert told(found["trigger"])["entered"] == "8"
    assert told(found["educate"])["sent"] == str(sent)


def test_a_line_is_as_broad_as_the_share_that_went_along_it(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    enter(8)
    arms = [one for one in drawn(sign_in_as(omar), trial)["ways"] if one["from"] == "lot"]
    assert sum(one["weight"] for one in arms) == pytest.approx(1.0)


def test_the_time_in_a_step_is_shown_where_people_have_left_it(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-18"""
    enter(8)
    runner.run_once(now=NOON + timedelta(days=3))
    found = drawn(sign_in_as(omar), trial, "time")
    assert told(found["rest"]) == {"half": "3 d", "9 of 10": "3 d"}
    assert found["end"]["figures"] == []


def test_few_people_s_times_are_not_shown_to_who_may_not_know(
    sign_in_as: SignIn, mara: User, clinical_trial: Workflow
) -> None:
    """PR-40"""
    let_in(clinical_trial, 8)
    runner.run_once(now=NOON + timedelta(days=3))
    assert drawn(sign_in_as(mara), clinical_trial, "time")["rest"]["figures"] == []


def test_a_simulation_of_the_same_graph_stands_beside(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-16"""
    enter(8)
    made = keeping.start(trial, PLAN, number=1, now=NOON)
    keeping.attempt(made, now=NOON)
    found = drawn(sign_in_as(omar), trial, "compared")
    assert told(found["trigger"]) == {"live": "8", "simulated": "40"}
    assert all(one.endswith("%") for one in told(found["educate"]).values())


def test_without_a_simulation_nothing_stands_beside(
    sign_in_as: SignIn, omar: User, trial: Workflow
) -> None:
    client = sign_in_as(omar)
    assert client.get(f"/workflows/{trial.id}/1/drawing.json?show=compared").status_code == 404
    assert "Beside the simulation" not in client.get(f"/workflows/{trial.id}/").content.decode()


def test_the_other_clinic_finds_no_drawing(
    sign_in_as: SignIn, hill: Organisation, trial: Workflow
) -> None:
    """SE-02"""
    with tenancy.acting_for(hill.pk):
        other = staff.add("s@hill.example", name="S", role=Role.COMPLIANCE, now=NOON)
    client = sign_in_as(other)
    for part in ("drawing.json", "tables/"):
        assert client.get(f"/workflows/{trial.id}/1/{part}").status_code == 404


def test_a_simulated_person_s_path_is_marked_on_the_drawing(
    sign_in_as: SignIn, omar: User, trial: Workflow
) -> None:
    made = keeping.start(trial, PLAN, number=1, now=NOON)
    keeping.attempt(made, now=NOON)
    page = sign_in_as(omar).get(f"/workflows/{trial.id}/simulations/{made.id}/?person=1")
    assert re.search(r'"walked": \{"steps": \["trigger", "lot"', page.content.decode())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under a minute"), (59, "under a minute"), (60, "1 min"), (3_660, "1 h 1 min"),
     (86_400, "1 d"), (90_000, "1 d 1 h"), (86_460, "1 d")],
)  # fmt: skip
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert lasted(seconds) == words


def test_the_tables_are_told_again_only_where_something_changed(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    client, address = sign_in_as(omar), f"/workflows/{trial.id}/1/tables/"
    before = client.get(address)
    (mark,) = re.findall(r"seen=([0-9a-f]{16})", before.content.decode())
    same = client.get(address, {"seen": mark})
    assert same["HX-Reswap"] == "none"
    assert b"Where everybody is" not in same.content and b"Figures as of" in same.content
    enter(8)
    after = client.get(address, {"seen": mark})
    assert "HX-Reswap" not in after
    assert b'hx-swap-oob="true"' in after.content and b"Where everybody is" in after.content
