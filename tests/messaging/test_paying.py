"""PR-02: a payment for one campaign or step counts as one that the template says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from consent.purposes import Remuneration
from messaging import claims
from messaging.models import Message, SendPayment
from messaging.paying import stating
from messaging.paying.stating import PaymentInvalid
from tests.conftest import NOON
from tests.messaging.conftest import SOURCE, Enqueue, approved, sign, template
from tests.messaging.mails import BODY, mjml

MAKER = Remuneration("Acme", "Acme", amount=100, cost=40)
PLAN = Remuneration("Health Plan", "Acme", amount=100, cost=40)


@pytest.fixture
def care(enqueue: Enqueue) -> dict[str, object]:
    """A mail about care that anybody may get."""
    version = approved(template("care", purpose="treatment", mjml=mjml(BODY, foot=""), text=""))
    return {"template_version": version.id, "purpose": "treatment"}


def code(enqueue: Enqueue, contact_id: int, care: dict[str, object], step: str = "news") -> str:
    (one,) = enqueue([contact_id], step=step, **care)
    return one.refusal_code


def test_a_payment_for_one_step_makes_that_step_marketing(
    enqueue: Enqueue, cleo: int, care: dict[str, object]
) -> None:
    """PR-02"""
    stating.state(SOURCE, MAKER, step="offer", now=NOON)
    assert code(enqueue, cleo, care, "offer") == "remunerated"
    assert code(enqueue, cleo, care, "care") == ""


def test_a_payment_for_the_whole_reaches_every_step(
    enqueue: Enqueue, cleo: int, care: dict[str, object]
) -> None:
    """PR-02"""
    stating.state(SOURCE, MAKER, now=NOON)
    assert code(enqueue, cleo, care, "any") == "remunerated"


def test_of_several_payments_the_strictest_counts(
    enqueue: Enqueue, cleo: int, care: dict[str, object]
) -> None:
    """PR-02: paid by a plan, not the maker, alone changes nothing; beside the maker's it hides
    nothing."""
    stating.state(SOURCE, PLAN, step="plan", now=NOON)
    stating.state(SOURCE, PLAN, step="both", now=NOON)
    stating.state(SOURCE, MAKER, step="both", now=NOON)
    assert code(enqueue, cleo, care, "plan") == ""
    assert code(enqueue, cleo, care, "both") == "remunerated"


def test_a_payment_by_step_needs_an_authorization_that_says_so(
    enqueue: Enqueue, cleo: int, care: dict[str, object]
) -> None:
    """PR-07: a signature for marketing that is silent about payment does not cover it."""
    sign(cleo)
    stating.state(SOURCE, MAKER, step="offer", now=NOON)
    assert code(enqueue, cleo, care, "offer") == "remunerated"


def test_a_payment_stated_later_stops_what_waits(
    enqueue: Enqueue, cleo: int, care: dict[str, object]
) -> None:
    """PR-02, PR-03: asked again in the transaction that claims it."""
    assert code(enqueue, cleo, care, "offer") == ""
    stating.state(SOURCE, MAKER, step="offer", now=NOON)
    taken = claims.claim(limit=10, now=NOON + timedelta(minutes=1))
    assert [reason for _, reason in taken.refused] == ["remunerated"]
    assert Message.objects.get().state == "refused"


def test_a_payment_is_in_the_trail_and_never_taken_back(at_harbor: Organisation) -> None:
    stating.state(SOURCE, MAKER, step="offer", now=NOON)
    assert Entry.objects.filter(action="payment.stated").count() == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        SendPayment.objects.all().delete()


def test_a_run_is_paid_for_as_its_campaign(at_harbor: Organisation) -> None:
    campaign, run = Message().public_id, Message().public_id
    stating.state(campaign, MAKER, now=NOON)
    stating.carry(campaign, to=run)
    assert stating.of_sources([run]).of(run, "a") == (MAKER,)


@pytest.mark.parametrize("wrong", [Remuneration(" "), Remuneration("Acme", "")])
def test_a_payment_that_would_decide_nothing_is_refused(
    at_harbor: Organisation, wrong: Remuneration
) -> None:
    with pytest.raises(PaymentInvalid):
        stating.state(SOURCE, wrong, now=NOON)


def test_another_organisation_reads_no_payment_of_ours(
    at_harbor: Organisation, hill: Organisation
) -> None:
    """SE-01"""
    stating.state(SOURCE, MAKER, now=NOON)
    with tenancy.acting_for(hill.pk):
        assert stating.of_sources([SOURCE]).of(SOURCE, "") == ()
