"""A second person for segments that read a sensitive label (SE-20, PR-30)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from contacts.segments import approvals, catalogue
from contacts.segments.models import Segment, SegmentApproval
from tests.conftest import NOON
from workflows import lint

pytestmark = pytest.mark.django_db

ADDICTED = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}
BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


def being(user: User) -> Any:
    return acting_as(Actor("staff", str(user.pk)))


@pytest.fixture
def recovery(at_harbor: Organisation, mara: User) -> Segment:
    with being(mara):
        return catalogue.save(name="In recovery", tree=ADDICTED, now=NOON)


def approved(segment: Segment, by: User, asked_by: User) -> SegmentApproval:
    with being(asked_by):
        asked = approvals.request(segment, now=NOON)
    with being(by):
        return approvals.decide(asked.id, approve=True, now=NOON)


def again(segment: Segment) -> Segment:
    return Segment.objects.get(pk=segment.pk)


def test_pr30_a_sensitive_segment_cannot_be_sent_to_before_it_is_approved(
    recovery: Segment,
) -> None:
    assert not recovery.sendable
    assert "second person" in approvals.why_not(recovery)


def test_another_person_approves_it(recovery: Segment, mara: User, omar: User) -> None:
    approved(recovery, by=omar, asked_by=mara)
    assert again(recovery).sendable


def test_se20_whoever_wrote_it_cannot_approve_it(recovery: Segment, mara: User, omar: User) -> None:
    with being(omar):
        asked = approvals.request(recovery, now=NOON)
    with being(mara), pytest.raises(approvals.ApprovalRefused, match="Another person"):
        approvals.decide(asked.id, approve=True, now=NOON)


def test_se20_whoever_asked_for_it_cannot_give_it(recovery: Segment, omar: User) -> None:
    with being(omar), pytest.raises(approvals.ApprovalRefused, match="Another person"):
        approvals.decide(approvals.request(recovery, now=NOON).id, approve=True, now=NOON)


def test_an_edit_voids_the_approval(recovery: Segment, mara: User, omar: User) -> None:
    approved(recovery, by=omar, asked_by=mara)
    wider = {"any": [ADDICTED, BOSTON]}
    with being(mara):
        catalogue.save(name="In recovery", tree=wider, segment_id=recovery.id, now=NOON)
    assert not again(recovery).sendable


def test_an_edit_of_a_segment_that_it_names_voids_the_approval(
    recovery: Segment, mara: User, omar: User
) -> None:
    with being(mara):
        outer = catalogue.save(name="Outer", tree={"segment": str(recovery.id)}, now=NOON)
    approved(outer, by=omar, asked_by=mara)
    assert again(outer).sendable
    with being(mara):
        changed = {"all": [ADDICTED, BOSTON]}
        catalogue.save(name="In recovery", tree=changed, segment_id=recovery.id, now=NOON)
    assert not again(outer).sendable


def test_a_request_about_what_it_was_cannot_be_approved(
    recovery: Segment, mara: User, omar: User
) -> None:
    with being(mara):
        asked = approvals.request(recovery, now=NOON)
        changed = {"all": [ADDICTED, BOSTON]}
        catalogue.save(name="In recovery", tree=changed, segment_id=recovery.id, now=NOON)
    with being(omar), pytest.raises(approvals.ApprovalRefused, match="changed since"):
        approvals.decide(asked.id, approve=True, now=NOON)


def test_a_refused_request_leaves_it_unusable(recovery: Segment, mara: User, omar: User) -> None:
    with being(mara):
        asked = approvals.request(recovery, now=NOON)
    with being(omar):
        approvals.decide(asked.id, approve=False, reason="Too wide", now=NOON)
    assert not again(recovery).sendable


def test_a_segment_without_a_label_needs_nobody(at_harbor: Organisation, mara: User) -> None:
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    assert approvals.why_not(boston) == ""


def codes_of(graph: dict[str, Any]) -> list[str]:
    return [problem.code for problem in lint.check(graph)[1]]


def graph(tree: dict[str, Any], trigger: str = "") -> dict[str, Any]:
    kind = {"kind": "segment", "segment": trigger} if trigger else {"kind": "api"}
    ask = {"id": "ask", "kind": "branch", "if": tree, "yes": "end", "no": "end"}
    return {"trigger": kind, "start": "ask", "nodes": [ask, {"id": "end", "kind": "exit"}]}


def test_publishing_refuses_an_unapproved_sensitive_segment(
    recovery: Segment, mara: User, omar: User
) -> None:
    by_segment = graph({"segment": str(recovery.id)}, trigger=str(recovery.id))
    assert codes_of(by_segment) == ["segment_not_approved"] * 2
    approved(recovery, by=omar, asked_by=mara)
    assert codes_of(by_segment) == []


def test_publishing_refuses_sensitive_conditions_that_nobody_could_approve(
    at_harbor: Organisation,
) -> None:
    assert codes_of(graph(ADDICTED)) == ["segment_not_approved"]


def test_whoever_refuses_says_why(recovery: Segment, mara: User, omar: User) -> None:
    with being(mara):
        asked = approvals.request(recovery, now=NOON)
    with being(omar), pytest.raises(approvals.ApprovalRefused, match="Say what must change"):
        approvals.decide(asked.id, approve=False, reason="  ", now=NOON)
    assert approvals.latest(recovery) == asked
