"""The Review page: what waits for whom, what exactly it is, and what changed since last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.fields import DataClass
from messaging.making import reviews
from messaging.making.models import ReviewRule, Step
from messaging.making.reviews import CHAIN, Standing, Verdict
from messaging.models import PURPOSES, TemplateVersion
from messaging.versions import latest_approved

PERMISSIONS: Mapping[Step, Permission] = {
    Step.MEDICAL: Permission.TEMPLATES_REVIEW_MEDICAL,
    Step.COMPLIANCE: Permission.TEMPLATES_REVIEW_COMPLIANCE,
    Step.TECHNICAL: Permission.TEMPLATES_REVIEW_TECHNICAL,
    Step.CONTENT: Permission.TEMPLATES_APPROVE,
}


def may_give(staff: User, where: Standing) -> bool:
    """Say whether this person may give the word that is asked next."""
    own = where.version.author_id == str(staff.pk)
    return where.next is not None and not own and staff.may(PERMISSIONS[where.next])


def words(where: Standing, people: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each step that is needed, with what was said on it."""
    return [
        {
            "step": step,
            "said": [
                {"review": one, "by": people.get(one.reviewer_id, one.reviewer_id)}
                for one in where.said
                if one.step == step.value
            ],
            "next": step is where.next,
        }
        for step in where.steps
    ]


@require_safe
@requires(Permission.TEMPLATES_VIEW)
def waiting(request: HttpRequest) -> HttpResponse:
    """List what waits for a word, what waits for the reader's first."""
    staff = staff_of(request)
    found = [
        {
            "standing": each,
            "mine": may_give(staff, each),
            "approved": latest_approved(each.version.template_id),
        }
        for each in reviews.waiting()
    ]
    mine = [row for row in found if row["mine"]]
    others = [row for row in found if not row["mine"]]
    return render(request, "messaging/reviews.html", {"mine": mine, "others": others})


@require_POST
@requires(Permission.TEMPLATES_VIEW)
def review(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    """Give one's word on the next step of a version."""
    version = get_object_or_404(TemplateVersion, template_id=template_id, number=number)
    asked = request.POST.get("step", "")
    step = Step(asked) if asked in Step.values else reviews.standing(version).next
    if step is None or not staff_of(request).may(PERMISSIONS[step]):
        raise PermissionDenied
    verdict = Verdict.RETURNED if request.POST.get("verdict") == "returned" else Verdict.PASSED
    comment = request.POST.get("comment", "")
    try:
        reviews.give(version, step=step, verdict=verdict, comment=comment, now=timezone.now())
    except reviews.ApprovalRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _told(version, verdict))
    return redirect("template-preview", template_id, number)


def _told(version: TemplateVersion, verdict: str) -> str:
    if verdict == Verdict.RETURNED:
        return "Sent back to its author."
    after = reviews.standing(TemplateVersion.objects.get(pk=version.pk))
    if after.next is None:
        return f"Version {version.number} may be used in workflows."
    return f"Passed. Next: {after.next.label}."


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.ORGANISATION_MANAGE)
def rules(request: HttpRequest) -> HttpResponse:
    """Which steps a version needs, by its purpose and by what it says of people."""
    if request.method == "POST":
        reviews.set_rules(_rules(request.POST.getlist), now=timezone.now())
        messages.success(request, "Kept. It holds for every version that is not approved yet.")
        return redirect("review-rules")
    standing = list(ReviewRule.objects.all())
    context = {
        "steps": [_row(step, standing) for step in CHAIN],
        "may_change": staff_of(request).may(Permission.ORGANISATION_MANAGE),
    }
    return render(request, "messaging/review_rules.html", context)


def _rules(given: Any) -> Iterable[ReviewRule]:
    """Read a rule for each step that is ticked; codes that do not exist are left out."""
    purposes, classes = {key for key, _ in PURPOSES}, {kind.value for kind in DataClass}
    for step in CHAIN:
        if step.value in given("steps"):
            yield ReviewRule(
                step=step,
                purposes=sorted(purposes & set(given(f"{step.value}-purposes"))),
                classes=sorted(classes & set(given(f"{step.value}-classes"))),
            )


def _row(step: Step, standing: Sequence[ReviewRule]) -> dict[str, Any]:
    rule = next((one for one in standing if one.step == step.value), None)
    return {
        "step": step,
        "rule": rule,
        "purposes": [(k, label, bool(rule and k in rule.purposes)) for k, label in PURPOSES],
        "classes": [
            (kind.value, kind.value.replace("_", " "), bool(rule and kind.value in rule.classes))
            for kind in DataClass
        ],
    }
