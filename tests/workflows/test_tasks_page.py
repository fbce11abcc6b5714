"""The page of tasks, and its doors."""

from __future__ import annotations

from django.utils import timezone

from accounts import staff
from accounts.models import User
from accounts.roles import Role
from tests.conftest import NOON
from tests.workflows.test_pages import SignedIn
from tests.workflows.test_steps_in_depth import AGAIN, ASK, Draw, ada, draw, go, places
from workflows import runner
from workflows.models import StaffTask

__all__ = ["ada", "draw"]


def test_staff_see_a_task_and_say_what_became_of_it(
    draw: Draw, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    go(draw(ASK, AGAIN), ada)
    browser = sign_in_as(mara)
    assert "Call" in browser.get("/workflows/tasks/").content.decode()
    task = StaffTask.objects.get()
    browser.post(f"/workflows/tasks/{task.id}/outcome/", {"outcome": "failed"})
    runner.run_once(now=timezone.now())  # the page says it now
    assert places() == ["again"]
    assert "Nothing to do" in browser.get("/workflows/tasks/").content.decode()


def test_who_may_not_handle_tasks_sees_none(
    draw: Draw, ada: int, omar: User, sign_in_as: SignedIn
) -> None:
    go(draw(ASK, AGAIN), ada)
    browser = sign_in_as(omar)
    task = StaffTask.objects.get()
    assert browser.get("/workflows/tasks/").status_code == 403
    said = browser.post(f"/workflows/tasks/{task.id}/outcome/", {"outcome": "done"})
    assert said.status_code == 403 and StaffTask.objects.get().state == "open"


def test_a_task_of_a_clinical_way_is_not_shown_to_who_sees_no_clinical_facts(
    draw: Draw, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    """PR-20"""
    asked = {"field": "conditions", "op": "exists"}
    fork = {"id": "f", "kind": "branch", "if": asked, "yes": "end", "no": "call"}
    go(draw(fork, ASK, AGAIN), ada)
    page = sign_in_as(mara).get("/workflows/tasks/").content.decode()
    may = "clinical" in mara.data_classes
    assert ("Call" in page) is may


def test_care_staff_find_their_tasks_and_answer_them(
    draw: Draw, ada: int, sign_in_as: SignedIn
) -> None:
    go(draw(ASK, AGAIN), ada)
    nora = staff.add("nora@harbor.example", name="Nora Ferris", role=Role.CARE, now=NOON)
    browser = sign_in_as(nora)
    page = browser.get("/workflows/tasks/").content.decode()
    assert "Call" in page and 'href="/workflows/"' not in page
    task = StaffTask.objects.get()
    browser.post(f"/workflows/tasks/{task.id}/outcome/", {"outcome": "done"})
    assert StaffTask.objects.get().state == "done"


def test_home_tells_of_tasks_that_are_due_to_who_may_see_them(
    draw: Draw, ada: int, sign_in_as: SignedIn
) -> None:
    asked = {"field": "gender", "op": "exists"}
    fork = {"id": "f", "kind": "branch", "if": asked, "yes": "call", "no": "end"}
    go(draw(fork, ASK | {"due": {"hours": 20}}, AGAIN), ada, now=timezone.now())
    people = [
        staff.add(f"{role}@harbor.example", name="A B", role=role, now=NOON)
        for role in (Role.CARE, Role.DESIGNER)
    ]
    pages = [sign_in_as(one).get("/").content.decode() for one in people]
    assert ["due within a day" in page for page in pages] == [True, False]
