"""Before publishing: who of the audience each message would reach, and who would be refused."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent.reasons import REASONS
from contacts.segments.reading import DefinitionInvalid
from marketing.web import canvas, canvas_words, workflow_figures
from marketing.web.workflow_figures import Teller
from workflows import lint, outlook
from workflows.models import Workflow
from workflows.outlook import Outlook
from workflows.simulate import trying


@dataclass(frozen=True, slots=True)
class Line:
    """How many of the audience a message would not reach, for one reason."""

    node: str
    title: str
    when: str
    people: str
    code: str
    reason: str
    remedy: str


def looked_at(found: Workflow) -> tuple[trying.Tried, Outlook] | None:
    """Return the outlook of the draft; None where the draft cannot go live anyway."""
    graph, problems = lint.check(found.draft, workflow_id=found.id)
    if graph is None or problems:
        return None
    tried = trying.of_draft(graph, workflow_id=found.id)
    try:
        return tried, outlook.of(tried, now=timezone.now())
    except DefinitionInvalid:
        return None


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def page(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    found = Workflow.objects.select_related("live").filter(id=workflow_id).first()
    looked = looked_at(found) if found else None
    if found is None or looked is None:
        return redirect("workflow", workflow_id)
    user, (tried, seen) = staff_of(request), looked
    tell = _teller(tried, found, user)
    trail.record("report.viewed", detail={"report": "outlook", "count": seen.people})
    context = {
        "workflow": found,
        "seen": seen,
        "people": str(tell("", "audience", seen.people)),
        "lines": _lines(tried, seen, tell, user),
        "may_publish": user.may(Permission.WORKFLOWS_PUBLISH),
        "as_of": timezone.now(),
    }
    return render(request, "workflows/outlook.html", context)


def _teller(tried: trying.Tried, found: Workflow, user: User) -> Teller:
    classes = {name for names in tried.path_classes.values() for name in names}
    return workflow_figures.teller(classes, user, "workflow outlook", str(found.id))


def _lines(tried: trying.Tried, seen: Outlook, tell: Teller, user: User) -> list[Line]:
    names = canvas.names(user)
    cells = {
        (one.node, f"{when} {code}"): (one, when, code, many)
        for one in seen.messages
        for when, counts in (("now", one.refused), ("then", one.outlived))
        for code, many in counts.most_common()
    }
    tell.ask({cell: many for cell, (*_, many) in cells.items()})
    return [
        Line(
            one.node,
            canvas.title(tried.graph.steps[one.node], names),
            "now" if when == "now" else f"{canvas_words.duration(one.after)} after coming in",
            str(tell(*cell, many)),
            code,
            *REASONS.get(code, (code, "")),
        )
        for cell, (one, when, code, many) in cells.items()
    ]
