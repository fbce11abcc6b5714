"""Laws of the policy, over generated people: a restriction never turns a refusal into a permit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consent import policy
from consent.policy import Answer, Hold, Permit, Question, Refusal, RouteFacts
from consent.rules import shelf
from tests.consent.questions import (
    CAPS,
    CLASSES,
    CONFIDENTIAL,
    NOW,
    OPT_OUTS,
    QUESTIONS,
    QUIET,
    RESTRICTIONS,
    USES,
)

RULES = shelf.at(NOW)


def decide(question: Question) -> Answer:
    return policy.decide(question, rules=RULES)


def openness(answer: Answer) -> int:
    return {Refusal: 0, Hold: 1, Permit: 2}[type(answer)]


def never_opens(before: Question, after: Question) -> bool:
    """Neither more open than before, nor sooner."""
    first, second = decide(before), decide(after)
    if isinstance(first, Hold) and isinstance(second, Hold):
        return second.until >= first.until
    return openness(second) <= openness(first)


def more(question: Question, name: str, one: object) -> Question:
    grown: dict[str, Any] = {name: (*getattr(question, name), one)}
    return replace(question, **grown)


@given(QUESTIONS, OPT_OUTS)
def test_one_more_no_never_opens_the_way(question: Question, refused: Any) -> None:
    assert never_opens(question, more(question, "opt_outs", refused))


@given(QUESTIONS, RESTRICTIONS)
def test_one_more_restriction_never_opens_the_way(question: Question, agreed: Any) -> None:
    """PR-23"""
    assert never_opens(question, more(question, "restrictions", agreed))


@given(QUESTIONS, CONFIDENTIAL)
def test_one_more_confidential_request_never_opens_the_way(question: Question, wish: Any) -> None:
    """PR-22: as long as it brings no address that was not known before."""
    wish = replace(wish, alternative=False)
    assert never_opens(question, more(question, "confidential", wish))


@given(QUESTIONS, QUIET)
def test_more_quiet_hours_never_open_the_way(question: Question, hours: Any) -> None:
    """TC-04"""
    assert never_opens(question, more(question, "quiet", hours))


@given(QUESTIONS, CAPS)
def test_one_more_cap_never_opens_the_way(question: Question, cap: Any) -> None:
    assert never_opens(question, more(question, "caps", cap))


@given(QUESTIONS, USES)
def test_having_written_once_more_never_opens_the_way(question: Question, use: Any) -> None:
    assert never_opens(question, more(question, "used", use))


@given(QUESTIONS)
def test_losing_a_consent_to_open_channels_never_opens_the_way(question: Question) -> None:
    """PR-38"""
    assert never_opens(question, replace(question, accepts_plain=frozenset()))


@given(QUESTIONS)
def test_losing_the_agreement_with_the_carrier_never_opens_the_way(question: Question) -> None:
    """PR-32"""
    assert never_opens(question, replace(question, route=RouteFacts(own=False)))


@given(QUESTIONS)
def test_losing_or_ending_part2_consents_never_opens_the_way(question: Question) -> None:
    """PR-29"""
    ended = tuple(replace(one, revoked_at=one.signed_at) for one in question.part2)
    assert never_opens(question, replace(question, part2=ended))
    assert never_opens(question, replace(question, part2=()))


@given(QUESTIONS)
def test_a_number_found_to_be_anothers_never_opens_the_way(question: Question) -> None:
    """TC-06"""
    if question.reassigned_at is None:
        assert never_opens(question, replace(question, reassigned_at=NOW))
    assert never_opens(question, replace(question, do_not_call=True))


@given(QUESTIONS, st.sampled_from(["suppressed", "deceased", "stop_means_all"]))
def test_suppression_and_death_never_open_the_way(question: Question, flag: str) -> None:
    """PR-36"""
    changed: dict[str, Any] = {flag: True}
    assert never_opens(question, replace(question, **changed))


@given(QUESTIONS, st.sampled_from(["has_address", "known"]))
def test_losing_the_address_or_the_person_never_opens_the_way(
    question: Question, flag: str
) -> None:
    changed: dict[str, Any] = {flag: False}
    assert never_opens(question, replace(question, **changed))


@given(QUESTIONS, CLASSES)
def test_saying_more_about_the_person_never_opens_the_way(
    question: Question, further: frozenset[str]
) -> None:
    assert never_opens(question, replace(question, classes=question.classes | further))


@given(QUESTIONS, st.integers(0, 3))
def test_losing_an_authorization_never_opens_the_way(question: Question, at: int) -> None:
    fewer = question.authorizations[:at] + question.authorizations[at + 1 :]
    assert never_opens(question, replace(question, authorizations=fewer))


@given(QUESTIONS, st.data())
def test_narrowing_or_ending_an_authorization_never_opens_the_way(
    question: Question, data: st.DataObject
) -> None:
    """PR-04: a revocation or an expiry, in any combination."""
    narrower = tuple(
        data.draw(
            st.sampled_from(
                [
                    one,
                    replace(one, revoked_at=one.signed_at),
                    replace(one, ended_at=one.signed_at),
                    replace(one, expires_on=(one.signed_at - timedelta(days=2)).date()),
                    replace(one, purposes=frozenset()),
                    replace(one, states_remuneration=False),
                    replace(one, channels=frozenset()),
                ]
            )
        )
        for one in question.authorizations
    )
    assert never_opens(question, replace(question, authorizations=narrower))


@given(QUESTIONS)
def test_the_same_question_has_the_same_answer(question: Question) -> None:
    assert decide(question) == decide(question)


@given(QUESTIONS)
def test_a_permit_for_marketing_always_rests_on_a_live_signature(question: Question) -> None:
    """PR-01, PR-02"""
    answer = decide(question)
    permit = answer.permit if isinstance(answer, Hold) else answer
    if isinstance(permit, Permit) and question.purpose in policy.NEEDS_AUTHORIZATION:
        resting_on = [one for one in question.authorizations if one.id == permit.authorization_id]
        assert any(one.live(NOW) for one in resting_on)


@given(QUESTIONS)
def test_what_waits_may_go_at_the_moment_that_it_was_told(question: Question) -> None:
    """TC-04: unless something else has ended by then, such as an authorization."""
    answer = decide(question)
    if isinstance(answer, Hold):
        assert answer.until > question.now
        then = decide(replace(question, now=answer.until))
        assert not (isinstance(then, Hold) and then.code == "quiet_hours")


@given(QUESTIONS)
def test_every_decision_names_the_version_of_the_rules(question: Question) -> None:
    answer = decide(question)
    named = answer.permit if isinstance(answer, Hold) else answer
    assert named.rules == RULES.version
