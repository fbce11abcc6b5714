"""Laws of the policy, over generated people: a restriction never turns a refusal into a permit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from consent.policy import AuthorizationFacts, OptOutFacts, Permit, Question, Refusal, decide

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLASSES = st.frozensets(
    st.sampled_from(["identity", "demographic", "clinical", "coverage", "contact_point"])
)
PURPOSES = ["treatment", "operations", "marketing", "remunerated_marketing"]
MOMENTS = st.integers(-90, 90).map(lambda days: NOW + timedelta(days=days, seconds=days))
MAYBE_MOMENT = st.none() | MOMENTS
OPT_OUTS = st.builds(
    OptOutFacts,
    channel=st.sampled_from(["", "email", "sms"]),
    purpose=st.sampled_from(["", *PURPOSES]),
    topic=st.sampled_from(["", "diabetes"]),
)
AUTHORIZATIONS = st.builds(
    AuthorizationFacts,
    id=st.integers(1, 2**64).map(lambda number: UUID(int=number)),
    purposes=st.frozensets(st.sampled_from(PURPOSES)),
    classes=CLASSES,
    signed_at=MOMENTS,
    expires_on=st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"]),
    ended_at=MAYBE_MOMENT,
    revoked_at=MAYBE_MOMENT,
    states_remuneration=st.booleans(),
)
QUESTIONS = st.builds(
    Question,
    purpose=st.none() | st.sampled_from([*PURPOSES, "other"]),
    channel=st.sampled_from(["email", "sms"]),
    now=st.just(NOW),
    classes=CLASSES,
    topic=st.sampled_from(["", "diabetes"]),
    authorizations=st.lists(AUTHORIZATIONS, max_size=4).map(tuple),
    opt_outs=st.lists(OPT_OUTS, max_size=2).map(tuple),
    suppressed=st.booleans(),
    deceased=st.booleans(),
    has_address=st.booleans(),
    known=st.booleans(),
)


def never_opens(before: Question, after: Question) -> bool:
    return isinstance(decide(after), Refusal) or isinstance(decide(before), Permit)


@given(QUESTIONS, OPT_OUTS)
def test_one_more_no_never_opens_the_way(question: Question, refused: OptOutFacts) -> None:
    assert never_opens(question, replace(question, opt_outs=(*question.opt_outs, refused)))


@given(QUESTIONS, st.sampled_from(["suppressed", "deceased"]))
def test_suppression_and_death_never_open_the_way(question: Question, flag: str) -> None:
    assert never_opens(question, replace(question, **{flag: True}))  # type: ignore[arg-type]


@given(QUESTIONS, st.sampled_from(["has_address", "known"]))
def test_losing_the_address_or_the_person_never_opens_the_way(
    question: Question, flag: str
) -> None:
    assert never_opens(question, replace(question, **{flag: False}))  # type: ignore[arg-type]


@given(QUESTIONS, CLASSES)
def test_saying_more_about_the_person_never_opens_the_way(
    question: Question, more: frozenset[str]
) -> None:
    assert never_opens(question, replace(question, classes=question.classes | more))


@given(QUESTIONS, st.integers(0, 3))
def test_losing_an_authorization_never_opens_the_way(question: Question, at: int) -> None:
    fewer = question.authorizations[:at] + question.authorizations[at + 1 :]
    assert never_opens(question, replace(question, authorizations=fewer))


@given(QUESTIONS, st.data())
def test_narrowing_or_ending_an_authorization_never_opens_the_way(
    question: Question, data: st.DataObject
) -> None:
    narrower = tuple(
        data.draw(
            st.sampled_from(
                [
                    one,
                    replace(one, revoked_at=one.signed_at),
                    replace(one, ended_at=one.signed_at),
                    replace(one, classes=frozenset()),
                    replace(one, purposes=frozenset()),
                    replace(one, states_remuneration=False),
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
    answer = decide(question)
    if isinstance(answer, Permit) and question.purpose in ("marketing", "remunerated_marketing"):
        resting_on = [one for one in question.authorizations if one.id == answer.authorization_id]
        assert any(one.live(NOW) and question.purpose in one.purposes for one in resting_on)
