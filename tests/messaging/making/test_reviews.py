"""The review chain (SE-20, CA-72)."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from accounts.models import Organisation
from audit.actor import Actor, acting_as
from audit.models import Entry
from messaging import versions
from messaging.making import reviews
from messaging.making.models import Review, ReviewRule, Step
from messaging.making.reviews import ApprovalRefused, Verdict
from messaging.models import Template, TemplateVersion
from tests.conftest import NOON
from tests.messaging.conftest import template

MEDICAL, COMPLIANCE, TECHNICAL = Step.MEDICAL, Step.COMPLIANCE, Step.TECHNICAL


@pytest.fixture(autouse=True)
def _harbor(at_harbor: Organisation) -> None:
    """Everything here happens at Harbor."""


def rules(*steps: Step, purposes: tuple[str, ...] = (), classes: tuple[str, ...] = ()) -> None:
    reviews.set_rules(
        [ReviewRule(step=s, purposes=list(purposes), classes=list(classes)) for s in steps],
        now=NOON,
    )


def made(draft: Template | None = None, *, author: str = "author") -> TemplateVersion:
    with acting_as(Actor("staff", author)):
        return versions.save(draft or template(), now=NOON)


def give(
    version: TemplateVersion, step: Step, *, by: str = "nora", verdict: str = Verdict.PASSED,
    comment: str = "",
) -> Review:  # fmt: skip
    with acting_as(Actor("staff", by)):
        return reviews.give(version, step=step, verdict=verdict, comment=comment, now=NOON)


def approved(version: TemplateVersion) -> bool:
    return hasattr(TemplateVersion.objects.get(pk=version.pk), "approval")


def test_the_last_step_approves_and_none_before_it() -> None:
    """CA-72"""
    rules(MEDICAL, COMPLIANCE, TECHNICAL)
    version = made()
    for step in (MEDICAL, COMPLIANCE):
        give(version, step)
        assert not approved(version)
    give(version, TECHNICAL)
    assert approved(version)


def test_steps_are_given_in_their_order() -> None:
    """CA-72"""
    rules(MEDICAL, COMPLIANCE)
    with pytest.raises(ApprovalRefused, match="the next one is: Medical accuracy"):
        give(made(), COMPLIANCE)


@pytest.mark.parametrize("step", [MEDICAL, COMPLIANCE])
def test_no_step_is_given_by_the_author(step: Step) -> None:
    """SE-20"""
    rules(step)
    with pytest.raises(ApprovalRefused, match="Another person"):
        give(made(author="nora"), step, by="nora")


def test_the_one_step_of_old_does_not_go_around_the_chain() -> None:
    """SE-20"""
    rules(COMPLIANCE)
    version = made()
    with acting_as(Actor("staff", "nora")), pytest.raises(ApprovalRefused):
        versions.approve(version, now=NOON)
    assert not approved(version)


def test_without_rules_an_approvers_one_word_is_enough() -> None:
    version = made()
    give(version, Step.CONTENT)
    assert approved(version)


@pytest.mark.parametrize(
    ("purposes", "classes", "expected"),
    [
        ((), (), (COMPLIANCE,)),
        (("treatment",), (), (Step.CONTENT,)),
        ((), ("clinical",), (Step.CONTENT,)),
        (("marketing",), ("identity",), (COMPLIANCE,)),
    ],
)
def test_rules_ask_by_purpose_and_by_class(
    purposes: tuple[str, ...], classes: tuple[str, ...], expected: tuple[Step, ...]
) -> None:
    rules(COMPLIANCE, purposes=purposes, classes=classes)
    assert reviews.standing(made()).steps == expected


def test_what_the_audience_betrays_asks_for_a_step_too() -> None:
    """W8"""
    rules(MEDICAL, classes=("clinical",))
    draft = template()
    draft.audience = ["clinical"]
    assert reviews.standing(made(draft)).steps == (MEDICAL,)


def test_a_changed_draft_falls_back() -> None:
    """SE-20: a word is on these words, and for this audience."""
    rules(MEDICAL, COMPLIANCE)
    draft = template()
    give(made(draft), MEDICAL)
    draft.subject += "!"
    assert reviews.standing(made(draft)).next is MEDICAL


def test_another_audience_falls_back() -> None:
    """SE-20"""
    rules(MEDICAL)
    draft = template()
    give(made(draft), MEDICAL)
    draft.audience = ["clinical"]
    assert reviews.standing(made(draft)).next is MEDICAL


def test_a_version_that_was_replaced_takes_no_word() -> None:
    draft = template()
    first = made(draft)
    draft.subject += "!"
    made(draft)
    with pytest.raises(ApprovalRefused, match="newest version"):
        give(first, Step.CONTENT)


def test_sending_back_needs_a_reason_and_stays_to_be_read() -> None:
    rules(MEDICAL)
    version = made()
    with pytest.raises(ApprovalRefused, match="Say what should be changed"):
        give(version, MEDICAL, verdict=Verdict.RETURNED)
    give(version, MEDICAL, verdict=Verdict.RETURNED, comment="The dose is wrong.")
    where = reviews.standing(TemplateVersion.objects.get(pk=version.pk))
    assert where.returned is not None
    assert (where.returned.comment, where.next) == ("The dose is wrong.", MEDICAL)


def test_a_word_never_changes() -> None:
    word = give(made(), Step.CONTENT)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Review.objects.filter(pk=word.pk).update(comment="other")


def test_each_word_is_in_the_trail() -> None:
    rules(MEDICAL)
    give(made(), MEDICAL)
    entry = Entry.objects.filter(action="template.reviewed").latest("id")
    assert '"step":"medical"' in str(entry.detail).replace(" ", "")


def test_what_waits_is_the_newest_version_of_each_template() -> None:
    draft = template()
    made(draft)
    draft.subject += "!"
    newest = made(draft)
    give(made(template("other")), Step.CONTENT)
    assert [each.version for each in reviews.waiting()] == [newest]


def test_an_approval_covers_the_audience_that_was_looked_at() -> None:
    """SE-20: bound to the hash of content and audience."""
    rules(COMPLIANCE)
    version = made()
    give(version, COMPLIANCE)
    version = TemplateVersion.objects.get(pk=version.pk)
    assert reviews.covers(version, {"identity", "clinical"}) == {"clinical"}


def test_an_approval_from_before_the_chain_covers_what_it_did() -> None:
    version = made()
    give(version, Step.CONTENT)
    assert reviews.covers(TemplateVersion.objects.get(pk=version.pk), {"clinical"}) == frozenset()
