"""Let people into a workflow by hand: choose whom, see how many, say yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.models import Contact, ContactList, ListMember
from contacts.segments import catalogue
from contacts.segments.models import Segment
from contacts.segments.reading import DefinitionInvalid
from marketing.web import workflow_figures
from marketing.web.workflows import by_id
from workflows import audience, enrol
from workflows.models import Enrolment, Workflow

MOST = 50_000
"""People whom one press lets in; for more, a schedule or the segment itself lets people in."""


class NobodyChosen(ValueError):
    """The choice cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom staff chose, and what that says of them."""

    kind: str
    id: UUID
    name: str
    contact_ids: Sequence[int]
    classes: frozenset[str]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_ENROL)
def enrol_people(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """First the count, then the act: nobody comes in before the count was seen."""
    found, user = by_id(workflow_id), staff_of(request)
    given = request.POST if request.method == "POST" else request.GET
    fault, chosen, closed = "", None, _why_closed(found)
    if given.get("whom") and not closed:
        try:
            chosen = _chosen(str(given["whom"]), user)
        except NobodyChosen as why:
            fault = str(why)
    if chosen and request.method == "POST" and given.get("act") == "enrol":
        return _let_in(request, found, chosen)
    context = {
        "workflow": found,
        "closed": closed,
        "fault": fault,
        "chosen": chosen,
        "whom": given.get("whom", ""),
        "told": _told(found, chosen, user) if chosen else {},
        "groups": _groups(user),
        "may_enrol": user.may(Permission.WORKFLOWS_ENROL),
    }
    return render(request, "workflows/enrol.html", context, status=422 if fault else 200)


def _why_closed(found: Workflow) -> str:
    if found.state != Workflow.State.LIVE or found.live is None:
        return "It takes nobody in now: publish it, or resume it, first."
    if found.live.graph["trigger"].get("key"):
        return (
            "People come into it once for each appointment or order, and by hand nobody says which."
        )
    return ""


def _groups(user: User) -> list[tuple[str, list[tuple[str, str]]]]:
    clinical = "clinical" in user.data_classes
    segments = Segment.objects.filter(archived_at=None)
    titles = [(f"segment:{one.pk}", catalogue.titled(one, clinical=clinical)) for one in segments]
    lists = [(f"list:{one.pk}", one.name) for one in ContactList.objects.all()]
    return [
        ("Segments", sorted(titles, key=lambda one: one[1].casefold())),
        ("Lists", sorted(lists, key=lambda one: one[1].casefold())),
    ]


def _chosen(whom: str, user: User) -> Chosen:
    kind, _, raw = whom.partition(":")
    try:
        id_ = UUID(raw)
    except ValueError:
        raise NobodyChosen("Choose a segment, a list or a person.") from None
    if kind == "segment":
        chosen = _of_segment(id_, user)
    elif kind == "list":
        chosen = _of_list(id_)
    else:
        chosen = _of_person(id_)
    if not chosen.contact_ids:
        raise NobodyChosen(f"Nobody is in {chosen.name}.")
    if len(chosen.contact_ids) > MOST:
        raise NobodyChosen(
            f"More than {MOST:,} people are in {chosen.name}. Let the workflow take them in by "
            "itself: by entering the segment, or by a schedule."
        )
    return chosen


def _of_segment(id_: UUID, user: User) -> Chosen:
    segment = Segment.objects.filter(pk=id_, archived_at=None).first()
    if segment is None:
        raise NobodyChosen("There is no such segment any more.")
    name = catalogue.titled(segment, clinical="clinical" in user.data_classes)
    try:
        members = audience.members(id_, now=timezone.now())
        return Chosen("segment", id_, name, members, audience.betrays(audience.of(id_)))
    except DefinitionInvalid as invalid:
        raise NobodyChosen(f"{name} cannot be asked: {invalid.problems[0].message}.") from None


def _of_list(id_: UUID) -> Chosen:
    held = ContactList.objects.filter(pk=id_).first()
    if held is None:
        raise NobodyChosen("There is no such list any more.")
    rows = ListMember.objects.filter(list_id=id_).values_list("contact_id", flat=True)
    alive = Contact.objects.filter(pk__in=rows, erased_at=None)
    return Chosen("list", id_, held.name, list(alive.values_list("pk", flat=True)), frozenset())


def _of_person(public_id: UUID) -> Chosen:
    rows = Contact.objects.filter(public_id=public_id, erased_at=None)
    ids = list(rows.values_list("pk", flat=True))
    return Chosen("contact", public_id, f"contact {str(public_id)[-8:]}", ids, frozenset())


def _told(found: Workflow, chosen: Chosen, user: User) -> dict[str, str]:
    """Tell the counts as far as the role is told how many people there are."""
    been = Enrolment.objects.filter(workflow_id=found.pk, occurrence="")
    known = set(been.values_list("contact_id", flat=True))
    inside = sum(one in known for one in chosen.contact_ids)
    counts = {"all": len(chosen.contact_ids), "been": inside}
    counts["new"] = counts["all"] - inside
    if chosen.kind == "contact":
        return {name: str(count) for name, count in counts.items()}
    assert found.live is not None
    classes = chosen.classes | workflow_figures.classes_of(found.live)
    tell = workflow_figures.teller(classes, user, "by hand", str(found.pk), str(chosen.id))
    tell.ask({("", name): count for name, count in counts.items()})
    return {name: str(tell("", name, count)) for name, count in counts.items()}


def _let_in(request: HttpRequest, found: Workflow, chosen: Chosen) -> HttpResponse:
    now = timezone.now()
    try:
        entered = enrol.enrol(found.pk, chosen.contact_ids, by="hand", now=now)
    except enrol.NotLive as why:
        messages.error(request, str(why))
        return redirect("workflow", found.pk)
    told = _told(found, chosen, staff_of(request))
    came = "Nobody came in: all of them were inside before." if not entered else "They are in."
    messages.success(request, f"{came} Inside by now or before: {told['been']}.")
    return redirect("workflow", found.pk)
