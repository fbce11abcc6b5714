"""The review chain: medical, compliance, technical, each by another person than the author.

Which steps a version needs follows from rules that the organisation sets, by purpose and by what
the message says of people, its audience included. Without a rule one step is asked: content. Steps
are given in their order. Every word is bound to the hash of the content and of the audience's
classes; the last one that is needed makes the approval (SE-20, CA-72).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit import trail
from audit.actor import current
from messaging.making.models import Review, ReviewRule, Step
from messaging.models import Approval, TemplateVersion

Verdict = Review.Verdict
CHAIN = (Step.MEDICAL, Step.COMPLIANCE, Step.TECHNICAL)
LONGEST_COMMENT = 2_000


class ApprovalRefused(Exception):
    """This person cannot give this word on this version; the message says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a version is: the steps that it needs, what was said, and what is asked next."""

    version: TemplateVersion
    steps: tuple[Step, ...]
    said: tuple[Review, ...]
    approved: bool

    @property
    def next(self) -> Step | None:
        passed = {one.step for one in self.said if one.verdict == Verdict.PASSED}
        waiting = (step for step in self.steps if step.value not in passed)
        return None if self.approved else next(waiting, None)

    @property
    def returned(self) -> Review | None:
        """The newest word, where it sent the version back."""
        last = self.said[-1] if self.said else None
        return last if last and last.verdict == Verdict.RETURNED else None


def says(version: TemplateVersion) -> frozenset[str]:
    """Return what a message of the version says of a person: its content and its audience."""
    return frozenset(version.data_classes) | frozenset(version.audience)


def required(
    purpose: str, classes: Collection[str], rules: Iterable[ReviewRule] | None = None
) -> tuple[Step, ...]:
    """Return the steps that such a message needs, in their order."""
    asked = {
        rule.step
        for rule in (ReviewRule.objects.all() if rules is None else rules)
        if (not rule.purposes or purpose in rule.purposes)
        and (not rule.classes or set(rule.classes) & set(classes))
    }
    return tuple(step for step in CHAIN if step.value in asked) or (Step.CONTENT,)


def binding(version: TemplateVersion) -> str:
    """Return the hash that a word is bound to: the content's, and for whom it is."""
    whole = json.dumps([version.sha256, sorted(says(version))])
    return hashlib.sha256(whole.encode()).hexdigest()


def standing(version: TemplateVersion, rules: Sequence[ReviewRule] | None = None) -> Standing:
    bound = binding(version)
    said = tuple(one for one in version.reviews.all() if one.bound_to == bound)
    approved = hasattr(version, "approval")
    return Standing(version, required(version.purpose, says(version), rules), said, approved)


@transaction.atomic
def give(
    version: TemplateVersion, *, step: Step, verdict: str, comment: str = "", now: datetime
) -> Review:
    """Record the acting person's word on a step; the last one that is needed approves.

    Raises `ApprovalRefused` for one's own version, for a step out of its order, and for a version
    that a newer one has replaced.
    """
    locked = TemplateVersion.objects.select_for_update().get(pk=version.pk)
    reviewer = current().id
    if reviewer == locked.author_id:
        raise ApprovalRefused("Another person must approve: you wrote this version.")
    if hasattr(locked, "approval"):
        raise ApprovalRefused("This version is approved already.")
    if TemplateVersion.objects.filter(template=locked.template, number__gt=locked.number).exists():
        raise ApprovalRefused("The template was changed since: review its newest version.")
    where = standing(locked)
    if step is not where.next:
        asked = where.next.label if where.next else "nothing"
        raise ApprovalRefused(f"Steps are given in their order; the next one is: {asked}.")
    if verdict == Verdict.RETURNED and not comment.strip():
        raise ApprovalRefused("Say what should be changed.")
    word = Review.objects.create(
        version=locked,
        step=step,
        verdict=verdict,
        bound_to=binding(locked),
        reviewer_id=reviewer,
        comment=comment.strip()[:LONGEST_COMMENT],
        at=now,
    )
    trail.record(
        "template.reviewed",
        subject=f"template:{locked.template_id}",
        detail={"version": locked.number, "step": step.value, "verdict": str(verdict)},
    )
    if verdict == Verdict.PASSED and step is where.steps[-1]:
        _approve(locked, where.steps, now=now)
    return word


def _approve(version: TemplateVersion, steps: tuple[Step, ...], *, now: datetime) -> None:
    """Whoever looked at the audience too approved it for that audience and for no other."""
    looked_at_audience = steps != (Step.CONTENT,) or bool(version.audience)
    Approval.objects.create(
        version=version,
        sha256=version.sha256,
        approver_id=current().id,
        audience=sorted(says(version)) if looked_at_audience else None,
        approved_at=now,
    )
    trail.record(
        "template.approved",
        subject=f"template:{version.template_id}",
        detail={"version": version.number},
    )


def waiting() -> list[Standing]:
    """Return the newest version of every template that waits for a word, the oldest first."""
    newest = TemplateVersion.objects.filter(template__archived_at=None).order_by(
        "template_id", "-number"
    )
    ids = [row.pk for row in newest.distinct("template_id")]
    rows = TemplateVersion.objects.filter(pk__in=ids, approval=None).select_related("template")
    rules = list(ReviewRule.objects.all())
    return [standing(row, rules) for row in rows.prefetch_related("reviews").order_by("created_at")]


def covers(version: TemplateVersion, classes: Collection[str]) -> frozenset[str]:
    """Return what a message would say that nobody who approved the version looked at."""
    approval = getattr(version, "approval", None)
    if approval is None or approval.audience is None:
        return frozenset()
    return frozenset(classes) - frozenset(approval.audience) - frozenset(version.data_classes)


@transaction.atomic
def set_rules(rules: Iterable[ReviewRule], *, now: datetime) -> None:
    """Make these the organisation's rules, in place of what stood before."""
    made = list(rules)
    ReviewRule.objects.all().delete()
    for rule in made:
        rule.changed_at = now
    ReviewRule.objects.bulk_create(made)
    steps = sorted({rule.step for rule in made})
    trail.record("template.review_rules_changed", detail={"steps": steps})
