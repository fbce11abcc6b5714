"""Simulations of a workflow: ask for one, and read what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.models import Contact
from contacts.segments import evaluate
from marketing.web import canvas, workflow_figures
from marketing.web.making import preview
from marketing.web.workflow_tables import table_of, why_left
from messaging.models import TemplateVersion
from messaging.render import NotRendered
from workflows.graph import Graph, parse
from workflows.models import Simulation, Workflow
from workflows.problems import GraphInvalid
from workflows.simulate import figures, keeping
from workflows.steps import Send, ways

PAGE = 50
EVENTS = range(3)
FIRST = {"kind": "synthetic", "count": "100", "authorized": "80", "days": "90", "seed": "1"}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def simulate(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Choose whom, from when, how long and what people do; run it."""
    found = get_object_or_404(Workflow.objects.select_related("live"), id=workflow_id)
    given = request.POST.dict() if request.method == "POST" else {**FIRST, **request.GET.dict()}
    number = int(given["version"]) if given.get("version", "").isdecimal() else None
    version = get_object_or_404(found.versions, number=number) if number else None
    faults: list[Any] = []
    try:
        graph = parse(version.graph if version else found.draft)
        if request.method == "POST":
            return _start(request, found, graph, number, given)
    except GraphInvalid as invalid:
        faults = list(invalid.problems)
        graph = None
    context = {
        "workflow": found,
        "number": number,
        "given": given,
        "faults": faults,
        "sends": _sends(version.graph if version else found.draft, given, staff_of(request)),
        "events": [_event_fields(at, given) for at in EVENTS],
        "past": found.simulations.defer("result", "timelines", "graph")[: keeping.KEPT],
    }
    return render(request, "workflows/simulate.html", context, status=422 if faults else 200)


def _start(
    request: HttpRequest,
    found: Workflow,
    graph: Graph,
    number: int | None,
    given: Mapping[str, str],
) -> HttpResponse:
    plan, promises, now = _plan(graph, given), _promises(given), timezone.now()
    made = keeping.start(found, plan, number=number, raw_promises=promises, now=now)
    if given.get("keep"):
        keeping.keep(found, plan, promises, now=now)
        messages.success(request, "The plan and its promises are kept with the workflow.")
    keeping.attempt(made, now=now)
    return redirect("workflow-simulation", found.id, made.id)


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def simulation(request: HttpRequest, workflow_id: UUID, simulation_id: UUID) -> HttpResponse:
    """The counts on the drawing, what was refused and why, and a timeline for each person."""
    made = _simulation(workflow_id, simulation_id)
    context: dict[str, Any] = {"workflow": made.workflow, "one": made, "as_of": made.created_at}
    if made.state == Simulation.State.DONE:
        context |= _result(request, made)
    return render(request, "workflows/simulation.html", context)


@require_safe
@requires(Permission.CONTACTS_REVEAL_IDENTITY)
def simulated_mail(
    request: HttpRequest, workflow_id: UUID, simulation_id: UUID, node: str
) -> HttpResponse:
    """The message of one step as one simulated person would get it; nothing is sent."""
    made = _simulation(workflow_id, simulation_id)
    version_id = keeping.tried(made).templates.get(node)
    version = get_object_or_404(TemplateVersion, id=version_id)
    person = _person(made, request.GET.get("person", "1"))
    if not set(version.data_classes) <= staff_of(request).data_classes:
        raise PermissionDenied
    contact = _contact(person["contact"])
    mail, why = None, ""
    try:
        mail = preview.as_seen(version, contact, staff_of(request)).said
    except NotRendered as refused:
        why = preview.why_not(refused)
    context = {"workflow": made.workflow, "one": made, "mail": mail, "why": why, "person": person}
    return render(request, "workflows/simulated_mail.html", context)


def _simulation(workflow_id: UUID, simulation_id: UUID) -> Simulation:
    made = Simulation.objects.select_related("workflow").filter(
        id=simulation_id, workflow_id=workflow_id
    )
    found = made.first()
    if found is None:
        raise Http404
    return found


def _person(made: Simulation, number: str) -> dict[str, Any]:
    found = next((one for one in made.timelines if str(one["number"]) == number), None)
    if found is None:
        raise Http404
    return dict(found)


def _contact(public_id: str) -> Contact | None:
    """Return who it is; nobody for an invented person."""
    if not public_id:
        return None
    return get_object_or_404(Contact, public_id=public_id, erased_at=None)


def _result(request: HttpRequest, made: Simulation) -> dict[str, Any]:
    graph, named = parse(made.graph), canvas.names(staff_of(request))
    funnel = funnel_of(made, staff_of(request))
    tell = funnel.tell
    plan = canvas.plan(graph, names=named, funnel=funnel)
    titles = {box["id"]: box["title"] for box in plan["steps"]}
    seen = _may_see_people(request, made)
    at = request.GET.get("page", "0")
    first = int(at) * PAGE if at.isdecimal() and len(at) < 5 else 0
    people = made.timelines[first : first + PAGE] if seen else []
    if real := sum(bool(one["contact"]) for one in people):
        trail.record("contact.listed", detail={"count": real})
    chosen = request.GET.get("person", "")
    if chosen and seen:
        plan["walked"] = _walked(graph, _person(made, chosen))
    return {
        "plan": plan,
        "rows": table_of(plan),
        "result": _counted(made, tell),
        "exact": tell.reader.exact,
        "refusals": [
            {
                **one,
                "title": titles[one["node"]],
                "people": tell(one["node"], f"refused {one['code']}", one["people"]),
            }
            for one in made.result["refusals"]
        ],
        "warnings": [
            {**one, "title": titles.get(one["node"], "")}
            for one in made.result["warnings"]
            if tell.reader.exact
        ],
        "people": [{**one, "came_to": _came_to(one["outcome"])} for one in people],
        "hidden": not seen,
        "person": _timeline(_person(made, chosen), titles) if chosen and seen else None,
        "mailed": {step.id for step in graph.steps.values() if isinstance(step, Send)},
        "next": f"?page={first // PAGE + 1}" if len(made.timelines) > first + PAGE else "",
    }


def funnel_of(made: Simulation, user: User) -> canvas.Funnel:
    """The simulation's counts, as the reader may be told them."""
    steps = [figures.read_step(one) for one in made.result["steps"]]
    tell = _teller(made, user)
    tell.steps(steps)
    return canvas.Funnel(made.result["people"], {one.node: one for one in steps}, tell)


CAME_TO = {"inside": "Still inside", "stuck": "Held: a step cannot go on", "finished": "The end"}


def _came_to(outcome: str) -> str:
    """What became of somebody, in words."""
    if outcome in CAME_TO:
        return CAME_TO[outcome]
    if outcome.startswith("goal:"):
        return f"The goal {outcome.removeprefix('goal:')}"
    return why_left(outcome)[1]


def _walked(graph: Graph, person: dict[str, Any]) -> dict[str, Any]:
    """The steps of one person's timeline, and the ways between each and the next."""
    nodes = [node for _, _, node, _ in person["lines"] if node in graph.steps]
    walked = [node for at, node in enumerate(nodes) if at == 0 or nodes[at - 1] != node]
    taken = [
        [one, way]
        for one, other in pairwise(walked)
        for way, there in ways(graph.steps[one]).items()
        if there == other
    ]
    here = walked[-1] if walked else canvas.ENTRY
    return {
        "steps": [canvas.ENTRY, *walked],
        "ways": [[canvas.ENTRY, "next"], *taken],
        "here": here,
    }


def _teller(made: Simulation, user: User) -> workflow_figures.Teller:
    """Counts of invented people are exact for everybody; of real ones they are rationed, too:
    anybody can put a simulation of chosen people together."""
    classes = workflow_figures.real_classes(made)
    return workflow_figures.teller(classes, user, "simulation", str(made.pk), free=False)


def _counted(made: Simulation, tell: workflow_figures.Teller) -> dict[str, Any]:
    result, mails = made.result, made.result.get("mails", {})
    return {
        **{
            what: str(tell("", what, result.get(what, 0)))
            for what in ("people", "finished", "inside")
        },
        "mails": {
            state: str(tell("", f"mails {state}", mails.get(state, 0)))
            for state in ("sent", "refused")
        },
        "promises": result.get("promises", []) if tell.reader.exact else [],
    }


def _may_see_people(request: HttpRequest, made: Simulation) -> bool:
    """The way of a real contact says what the steps asked of them."""
    if not any(one["contact"] for one in made.timelines):
        return True
    user = staff_of(request)
    said = frozenset[str]().union(*keeping.tried(made).path_classes.values())
    return user.may(Permission.CONTACTS_VIEW) and said <= user.data_classes


def _timeline(person: dict[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    lines = [
        {
            "at": datetime.fromisoformat(at),
            "what": what,
            "node": node,
            "title": titles.get(node, node),
            "detail": detail,
        }
        for at, what, node, detail in person["lines"]
    ]
    return {**person, "lines": lines}


# The form


def _sends(raw: Any, given: Mapping[str, str], user: User) -> list[dict[str, str]]:
    try:
        graph = parse(raw)
    except GraphInvalid:
        return []
    named = canvas.names(user)
    return [
        {
            "node": node,
            "title": canvas.title(step, named),
            "opens": given.get(f"opens-{node}", "60"),
            "clicks": given.get(f"clicks-{node}", "20"),
            "within": given.get(f"within-{node}", "2"),
        }
        for node, step in graph.steps.items()
        if isinstance(step, Send)
    ]


def _event_fields(at: int, given: Mapping[str, str]) -> dict[str, Any]:
    keys = ("event", "share", "after", "within")
    return {"at": at + 1} | {key: given.get(f"{key}_{at + 1}", "") for key in keys}


def _plan(graph: Graph, given: Mapping[str, str]) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "people": _people(given),
        "days": _whole(given.get("days")),
        "seed": _whole(given.get("seed")),
        "messages": {
            node: {
                "opens": _share(given.get(f"opens-{node}", "")),
                "clicks": _share(given.get(f"clicks-{node}", "")),
                "within": {"days": _whole(given.get(f"within-{node}")) or 2},
            }
            for node, step in graph.steps.items()
            if isinstance(step, Send)
        },
        "events": [_event(at + 1, given) for at in EVENTS if given.get(f"event_{at + 1}")],
    }
    if given.get("starts_at"):
        plan["starts_at"] = _local(given["starts_at"])
    return plan


def _local(text: str) -> str:
    """Read the wall time of the organisation; what is no time is named by the plan's reader."""
    try:
        zone: ZoneInfo = evaluate.zone()
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text


def _people(given: Mapping[str, str]) -> dict[str, Any]:
    kind = given.get("kind", "")
    if kind == "contacts":
        return {"kind": kind, "contacts": given.get("contacts", "").split()}
    people: dict[str, Any] = {"kind": kind, "count": _whole(given.get("count"))}
    if kind == "synthetic":
        people["authorized"] = _share(given.get("authorized", ""))
    return people


def _event(at: int, given: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "event": given[f"event_{at}"].strip(),
        "share": _share(given.get(f"share_{at}", "") or "100"),
    }
    for key in ("after", "within"):
        if days := _whole(given.get(f"{key}_{at}")):
            made[key] = {"days": days}
    return made


def _promises(given: Mapping[str, str]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if given.get("no_mail"):
        made.append({"kind": "no_mail", "share": _share(given["no_mail"])})
    if given.get("most"):
        days = _whole(given.get("most_days")) or 7
        made.append({"kind": "most_mails", "most": _whole(given["most"]), "days": days})
    if given.get("all_exit"):
        made.append({"kind": "all_exit", "days": _whole(given["all_exit"])})
    return made


def _whole(text: str | None) -> int | str | None:
    return int(text) if text and text.isdecimal() and len(text) < 12 else (text or None)


def _share(text: str) -> float | str | None:
    """Read per cent; what is no number is named by the plan's reader."""
    try:
        return float(text) / 100
    except ValueError:
        return text or None
