"""Who pays is stated and shown where one publishes (PR-02)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from contacts.segments import membership
from contacts.segments.models import Segment
from marketing.campaigns.models import Run
from messaging.models import SendPayment
from messaging.paying import stating
from tests.campaigns.conftest import Make, approve, audience, launch, letter, make, women
from tests.conftest import NOON
from tests.workflows.conftest import Publish, mails, publish

__all__ = ["audience", "letter", "mails", "make", "publish", "women"]
SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
MAKER = {"payer": "Acme", "product_of": "Acme", "kind": "cash", "amount": "100", "cost": "40"}


def test_a_payment_for_a_step_stands_on_the_workflows_page(
    sign_in_as: SignIn, mara: User, publish: Publish
) -> None:
    """PR-02"""
    flow = publish()
    client, address = sign_in_as(mara), f"/workflows/{flow.id}/payments/"
    page = client.get(address)
    steps = [key for key, _ in page.context["form"].fields["step"].choices if key]
    assert client.post(address, MAKER | {"step": steps[0]}).status_code == 302
    stated = stating.of_sources([flow.id])
    assert [one.payer for one in stated.of(flow.id, steps[0])] == ["Acme"]
    shown = client.get(f"/workflows/{flow.id}/").content.decode()
    assert "Acme, for Acme" in shown


def test_a_payment_for_a_campaign_holds_for_its_runs(
    sign_in_as: SignIn, mara: User, make: Make, women: Segment, audience: list[int]
) -> None:
    """PR-02: stated before the launch and while it is under way."""
    membership.refresh(women, now=NOON)
    made = make()
    client, address = sign_in_as(mara), f"/campaigns/{made.id}/payments/"
    client.post(address, MAKER)
    approve(made)
    launch(made)
    run = Run.objects.get(campaign=made)
    assert len(stating.of_sources([run.id]).of(run.id, "a")) == 1
    client.post(address, MAKER | {"payer": "Beta", "product_of": "Beta"})
    assert len(stating.of_sources([run.id]).of(run.id, "a")) == 2
    assert "Beta, for Beta" in client.get(f"/campaigns/{made.id}/").content.decode()


def test_a_payment_without_a_payer_names_the_field(
    sign_in_as: SignIn, mara: User, make: Make
) -> None:
    answer = sign_in_as(mara).post(f"/campaigns/{make().id}/payments/", MAKER | {"payer": ""})
    assert answer.status_code == 422 and "id_payer" in answer.content.decode()


def test_who_may_not_publish_states_no_payment(sign_in_as: SignIn, omar: User, make: Make) -> None:
    made = make()
    client = sign_in_as(omar)
    assert client.post(f"/campaigns/{made.id}/payments/", MAKER).status_code == 403
    assert not SendPayment.objects.exists()


def test_another_organisation_finds_no_payments_page(
    sign_in_as: SignIn, ivy: User, make: Make
) -> None:
    """SE-01"""
    assert sign_in_as(ivy).get(f"/campaigns/{make().id}/payments/").status_code in (403, 404)
