"""The pages of a simulation: who may ask, who may see people, what a mail would say."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from tests.workflows.test_pages import SignedIn, analyst
from tests.workflows.test_simulate import of
from workflows.models import KeptSimulation, Simulation, Workflow
from workflows.simulate import keeping

__all__ = ["analyst"]
FORM = {"kind": "synthetic", "count": "10", "authorized": "50", "days": "9", "seed": "1"}


@pytest.fixture
def of_ada(publish: Publish, ada: int) -> Simulation:
    made = keeping.start(publish(), {"people": of(ada), "days": 9}, number=1, now=NOON)
    keeping.work(made, now=NOON)
    return made


def shown(client: Client, made: Simulation, more: str = "") -> tuple[int, str]:
    answer = client.get(f"/workflows/{made.workflow_id}/simulations/{made.id}/{more}")
    return answer.status_code, answer.content.decode()


def test_a_simulation_is_asked_for_and_kept(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    workflow: Workflow = publish()
    form = {**FORM, "most": "2", "keep": "1"}
    answer = sign_in_as(mara).post(f"/workflows/{workflow.id}/simulations/", form, follow=True)
    assert "Nobody gets more than 2 mails in 7 days" in answer.content.decode()
    assert KeptSimulation.objects.get().promises == [{"kind": "most_mails", "most": 2, "days": 7}]


def test_a_wrong_number_is_named(publish: Publish, mara: User, sign_in_as: SignedIn) -> None:
    form = {**FORM, "days": "many"}
    answer = sign_in_as(mara).post(f"/workflows/{publish().id}/simulations/", form)
    assert answer.status_code == 422 and "days is not usable" in answer.content.decode()


def test_who_may_not_edit_workflows_may_not_simulate(
    publish: Publish, analyst: User, sign_in_as: SignedIn
) -> None:
    answer = sign_in_as(analyst).post(f"/workflows/{publish().id}/simulations/", FORM)
    assert answer.status_code == 403 and not Simulation.objects.exists()


def test_who_may_not_reveal_sees_no_simulated_mail(
    of_ada: Simulation, analyst: User, sign_in_as: SignedIn
) -> None:
    assert shown(sign_in_as(analyst), of_ada, "educate/")[0] == 403


def test_a_simulated_mail_is_rendered_and_the_look_is_in_the_trail(
    of_ada: Simulation, mara: User, sign_in_as: SignedIn
) -> None:
    status, page = shown(sign_in_as(mara), of_ada, "educate/?person=1")
    assert status == 200 and "Text of the mail" in page
    assert Entry.objects.filter(action="template.previewed").exists()


def test_pr40_a_simulation_of_one_chosen_person_tells_a_marketer_nothing_of_them(
    publish: Publish, ada: int, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    """What a branch asked of one person would be read from the counts on its ways."""
    workflow = publish(trigger={"kind": "event", "event": "appointment.missed"})
    made = keeping.start(workflow, {"people": of(ada), "days": 9}, number=1, now=NOON)
    keeping.work(made, now=NOON)
    code, page = shown(sign_in_as(mara), made)
    assert code == 200 and "beyond your role" in page
    assert "<dd>&lt;11</dd>" in page and "<dd>1</dd>" not in page
    assert "<dd>1</dd>" in shown(sign_in_as(omar), made)[1]
