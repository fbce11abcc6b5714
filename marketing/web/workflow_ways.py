"""One person's ways through workflows: where the person is, across all of them, and the path
through one, on its drawing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import matching
from contacts.fields import DataClass
from contacts.models import Contact
from marketing.web import canvas, contacts, workflow_figures, workflow_tables, workflows
from marketing.web.person import person_of, tabs
from messaging.models import Message
from workflows import whereabouts
from workflows.models import Move
from workflows.whereabouts import Whereabouts


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONTACTS_SEARCH)
def find(request: HttpRequest) -> HttpResponse:
    """Find a person by an exact identifier, sent by POST, and go to where the person is."""
    form = contacts.Search(request.POST or None)
    found: list[Contact] = []
    if form.is_valid():
        with transaction.atomic():
            found = matching.find(form.cleaned_data["kind"], form.cleaned_data["value"])
        if len(found) == 1:
            return redirect("contact-workflows", found[0].public_id)
    context = {"form": form, "found": found, "asked": form.is_bound and form.is_valid()}
    return render(request, "workflows/find.html", context)


@require_safe
@requires(Permission.CONTACTS_VIEW)
def of_contact(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where this person is in which workflow, and where the person was."""
    person, user = person_of(public_id), staff_of(request)
    rows = whereabouts.of_person(person.id, within=user.data_classes)
    trail.record("contact.viewed", subject=f"contact:{person.id}", detail={"purpose": "workflows"})
    named = canvas.names(user)
    context = {
        "contact": person,
        "tabs": tabs(person, "contact-workflows"),
        "rows": [_row(one, named) for one in rows],
        "sees_all": set(user.data_classes) >= {kind.value for kind in DataClass},
    }
    return render(request, "workflows/of_contact.html", context)


def _row(one: Whereabouts, named: canvas.Names) -> dict[str, Any]:
    steps = workflow_figures.steps_of(one.version)
    step = steps.get(one.enrolment.node)
    return {
        "one": one,
        "step": canvas.title(step, named) if step else one.enrolment.node,
        "why": workflow_tables.why_left(one.enrolment.outcome)[1]
        if one.enrolment.state == "stopped"
        else "",
    }


@require_safe
@requires(Permission.CONTACTS_VIEW)
def way(request: HttpRequest, workflow_id: UUID, enrolment_id: int) -> HttpResponse:
    """The path that one person took, on the drawing and step by step."""
    found, user = workflows.by_id(workflow_id), staff_of(request)
    one = whereabouts.one(enrolment_id, workflow_id=found.id)
    if one is None:
        raise Http404
    if not one.classes <= user.data_classes:
        raise PermissionDenied  # the way says what the steps on it asked
    person = Contact.objects.get(pk=one.enrolment.contact_id)
    trail.record("contact.viewed", subject=f"contact:{person.id}", detail={"purpose": "workflow"})
    steps, named = workflow_figures.steps_of(one.version), canvas.names(user)
    moves = whereabouts.moves(one.enrolment)
    plan = canvas.plan(workflow_figures.graph_of(one.version), names=named)
    plan["walked"] = _walked(one, moves)
    titles = {node: canvas.title(step, named) for node, step in steps.items()}
    context = {
        "workflow": found,
        "one": one,
        "contact": person,
        "short": person.public_id.hex[-8:],
        "plan": plan,
        "rows": workflow_tables.table_of(plan),
        "lines": _lines(moves, titles, user.data_classes),
        "here": titles.get(one.enrolment.node, one.enrolment.node),
        "why": workflow_tables.why_left(one.enrolment.outcome)[1],
        "since": workflow_figures.lasted(_since(one, timezone.now())),
    }
    return render(request, "workflows/way.html", context)


def _walked(one: Whereabouts, moves: list[Move]) -> dict[str, Any]:
    ways = [[move.node, move.way] for move in moves]
    nodes = [canvas.ENTRY, *(move.node for move in moves), one.enrolment.node]
    return {"steps": nodes, "ways": [[canvas.ENTRY, "next"], *ways], "here": one.enrolment.node}


def _lines(
    moves: list[Move], titles: Mapping[str, str], granted: frozenset[str]
) -> list[dict[str, Any]]:
    ids = [move.message_id for move in moves if move.message_id]
    messages = {one.pk: one for one in Message.objects.filter(pk__in=ids).only(
        "pk", "public_id", "state", "classes")}  # fmt: skip
    return [
        {
            "move": move,
            "title": titles.get(move.node, move.node),
            "way": canvas.way(move.way) if move.way != "next" else "",
            "lasted": workflow_figures.lasted((move.left_at - move.arrived_at).total_seconds()),
            "message": found
            if (found := messages.get(move.message_id or 0)) and set(found.classes) <= granted
            else None,
        }
        for move in moves
    ]


def _since(one: Whereabouts, now: datetime) -> float:
    until = one.enrolment.ended_at or now
    return max(0.0, (until - one.enrolment.arrived_at).total_seconds())
