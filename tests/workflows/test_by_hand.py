"""Letting people in by hand: the count first, then the act, and its doors."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from contacts import lists
from contacts.models import Contact
from tests.workflows.conftest import people
from tests.workflows.test_pages import SignedIn
from tests.workflows.test_steps_in_depth import LONG, Draw, ada, draw
from workflows import enrol
from workflows.models import Enrolment

__all__ = ["ada", "draw"]


def test_the_count_comes_first_and_then_the_people(
    draw: Draw, ada: int, women: str, mara: User, sign_in_as: SignedIn
) -> None:
    workflow, browser = draw(LONG), sign_in_as(mara)
    address = f"/workflows/{workflow.id}/enrol/"
    page = browser.get(address, {"whom": f"segment:{women}"}).content.decode()
    assert "Would come in" in page and Enrolment.objects.count() == 0
    browser.post(address, {"whom": f"segment:{women}", "act": "enrol"})
    assert list(Enrolment.objects.values_list("contact_id", flat=True)) == [ada]
    assert Entry.objects.filter(action="workflow.enrolled", detail__contains="hand").exists()


def test_who_was_inside_before_stays_where_they_are(
    draw: Draw, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = draw(LONG)
    (ben,) = people("ben")
    held = lists.create("Called", now=timezone.now())
    lists.add(held.id, [ada, ben], now=timezone.now())
    enrol.enrol(workflow.id, [ada], now=timezone.now())
    sign_in_as(mara).post(
        f"/workflows/{workflow.id}/enrol/", {"whom": f"list:{held.id}", "act": "enrol"}
    )
    assert Enrolment.objects.count() == 2


def test_one_person_is_let_in(draw: Draw, ada: int, mara: User, sign_in_as: SignedIn) -> None:
    workflow, public = draw(LONG), Contact.objects.get(pk=ada).public_id
    said = sign_in_as(mara).post(
        f"/workflows/{workflow.id}/enrol/", {"whom": f"contact:{public}", "act": "enrol"}
    )
    assert said.status_code == 302 and Enrolment.objects.count() == 1


def test_a_workflow_about_objects_takes_nobody_in_by_hand(
    draw: Draw, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = draw(LONG, trigger={"kind": "event", "event": "visit.booked", "key": "ref"})
    page = sign_in_as(mara).get(f"/workflows/{workflow.id}/enrol/").content.decode()
    assert "nobody says which" in page


def test_what_is_not_there_is_named(draw: Draw, ada: int, mara: User, sign_in_as: SignedIn) -> None:
    address = f"/workflows/{draw(LONG).id}/enrol/"
    browser = sign_in_as(mara)
    for whom in ("segment:x", "list:00000000-0000-7000-8000-000000000000", "contact:"):
        assert browser.get(address, {"whom": whom}).status_code == 422


def test_who_may_not_enrol_sees_and_does_not_act(
    draw: Draw, ada: int, women: str, omar: User, ivy: User, sign_in_as: SignedIn
) -> None:
    address = f"/workflows/{draw(LONG).id}/enrol/"
    asked = {"whom": f"segment:{women}", "act": "enrol"}
    assert sign_in_as(omar).post(address, asked).status_code == 403
    assert sign_in_as(ivy).get(address).status_code in (403, 404)
    assert Enrolment.objects.count() == 0
