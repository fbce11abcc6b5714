"""What the policy answers, one case at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from consent import policy
from consent.policy import (
    AuthorizationFacts,
    OptOutFacts,
    Permit,
    Question,
    Refusal,
    reasons,
)
from consent.rules import shelf

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNED = AuthorizationFacts(
    id=UUID(int=1),
    purposes=frozenset({"marketing"}),
    classes=frozenset({"identity", "clinical"}),
    signed_at=NOW - timedelta(days=30),
    expires_on=date(2027, 6, 30),
)
ASKED = Question(
    purpose="marketing",
    channel="email",
    now=NOW,
    classes=frozenset({"clinical"}),
    authorizations=(SIGNED,),
)


RULES = shelf.at(NOW)


def decide(question: Question) -> policy.Answer:
    return policy.decide(question, rules=RULES)


def code(question: Question) -> str:
    answer = decide(question)
    return answer.basis if isinstance(answer, Permit) else answer.code


def signed(**changes: object) -> Question:
    return replace(ASKED, authorizations=(replace(SIGNED, **changes),))  # type: ignore[arg-type]


def test_marketing_inside_a_live_authorization_is_permitted_by_it() -> None:
    assert decide(ASKED) == Permit("authorization", SIGNED.id, RULES.version)


@pytest.mark.parametrize("purpose", [None, "", "newsletter"])
def test_a_message_without_a_purpose_is_refused(purpose: str | None) -> None:
    """PR-01"""
    assert code(replace(ASKED, purpose=purpose)) == "purpose_required"


def test_marketing_without_a_signature_is_refused() -> None:
    """PR-01"""
    assert code(replace(ASKED, authorizations=())) == "no_authorization"


def test_an_authorization_for_another_purpose_is_none() -> None:
    """PR-09"""
    assert code(signed(purposes=frozenset({"operations"}))) == "no_authorization"


@pytest.mark.parametrize("purpose", ["treatment", "operations"])
def test_care_needs_no_signature(purpose: str) -> None:
    assert code(replace(ASKED, purpose=purpose, authorizations=())) == purpose


def test_information_outside_the_scope_is_refused_and_named() -> None:
    """PR-09"""
    answer = decide(signed(classes=frozenset({"identity"})))
    assert (
        isinstance(answer, Refusal)
        and answer.code == "phi_out_of_scope"
        and answer.outside == ("clinical",)
    )
    assert "clinical" in answer.sentence


def test_two_authorizations_do_not_add_up_to_one() -> None:
    """PR-09"""
    halves = (
        replace(SIGNED, classes=frozenset({"identity"})),
        replace(SIGNED, id=UUID(int=2), classes=frozenset({"clinical"})),
    )
    both = frozenset({"identity", "clinical"})
    assert code(replace(ASKED, classes=both, authorizations=halves)) == "phi_out_of_scope"


def test_a_revoked_authorization_permits_nothing() -> None:
    """PR-04"""
    assert code(signed(revoked_at=NOW)) == "auth_revoked"


def test_the_last_second_of_the_last_day_is_still_permitted_in_the_zone() -> None:
    """PR-08: day D in the person's zone: 23:59:59 is allowed."""
    last = datetime(2026, 7, 1, 3, 59, 59, tzinfo=UTC)
    ending = signed(
        signed_at=last - timedelta(days=9), expires_on=date(2026, 6, 30), zone="America/New_York"
    )
    assert code(replace(ending, now=last)) == "authorization"


def test_the_second_after_the_last_day_is_refused_in_the_zone() -> None:
    """PR-08: the next second is not."""
    after = datetime(2026, 7, 1, 4, 0, 0, tzinfo=UTC)
    ending = signed(
        signed_at=after - timedelta(days=9), expires_on=date(2026, 6, 30), zone="America/New_York"
    )
    assert code(replace(ending, now=after)) == "auth_expired"


def test_an_event_ends_an_authorization_from_then_on() -> None:
    """PR-08: end of treatment recorded at T, refused at T + 1 s."""
    assert code(signed(ended_at=NOW - timedelta(seconds=1))) == "auth_expired"


def test_an_event_still_to_come_ends_nothing() -> None:
    """PR-08"""
    assert code(signed(ended_at=NOW + timedelta(seconds=1))) == "authorization"


def test_a_signature_in_the_future_is_none_yet() -> None:
    assert code(signed(signed_at=NOW + timedelta(seconds=1))) == "no_authorization"


def test_a_new_signature_after_a_revocation_counts() -> None:
    again = replace(SIGNED, id=UUID(int=2), signed_at=NOW - timedelta(days=1))
    withdrawn = replace(SIGNED, revoked_at=NOW - timedelta(days=2))
    assert decide(replace(ASKED, authorizations=(withdrawn, again))) == Permit(
        "authorization", again.id, RULES.version
    )


def test_paid_marketing_needs_a_form_that_states_the_payment() -> None:
    paid = replace(
        signed(purposes=frozenset({"remunerated_marketing"})), purpose="remunerated_marketing"
    )
    assert code(paid) == "remuneration_not_stated"


def test_paid_marketing_under_a_form_that_states_the_payment_is_permitted() -> None:
    stated = signed(purposes=frozenset({"remunerated_marketing"}), states_remuneration=True)
    assert code(replace(stated, purpose="remunerated_marketing")) == "authorization"


@pytest.mark.parametrize(
    ("refused", "asked"),
    [
        (OptOutFacts(), "treatment"),
        (OptOutFacts(channel="email"), "operations"),
        (OptOutFacts(purpose="marketing"), "marketing"),
        (OptOutFacts(purpose="marketing"), "remunerated_marketing"),
        (OptOutFacts(topic="diabetes"), "marketing"),
    ],
)
def test_a_no_covers_what_it_names(refused: OptOutFacts, asked: str) -> None:
    """CS-01"""
    assert code(replace(ASKED, purpose=asked, topic="diabetes", opt_outs=(refused,))) == "opted_out"


@pytest.mark.parametrize(
    "refused",
    [
        OptOutFacts(channel="sms"),
        OptOutFacts(purpose="operations"),
        OptOutFacts(topic="newsletter"),
    ],
)
def test_a_no_to_something_else_does_not_stand_in_the_way(refused: OptOutFacts) -> None:
    assert code(replace(ASKED, topic="diabetes", opt_outs=(refused,))) == "authorization"


@pytest.mark.parametrize(
    "purpose", ["treatment", "operations", "marketing", "remunerated_marketing"]
)
def test_nothing_is_sent_to_the_dead(purpose: str) -> None:
    """PR-36"""
    assert code(replace(ASKED, purpose=purpose, deceased=True)) == "deceased"


def test_a_suppressed_address_is_refused() -> None:
    """CS-02"""
    assert code(replace(ASKED, suppressed=True)) == "suppressed"


def test_a_person_without_an_address_is_refused() -> None:
    assert code(replace(ASKED, has_address=False)) == "no_address"


def test_every_refusal_has_a_sentence_and_a_remedy() -> None:
    assert all(
        reason.sentence.endswith(".") and reason.remedy.endswith(".") for reason in reasons()
    )
