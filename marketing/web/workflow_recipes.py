"""Recipes: journeys to start from, each explained and drawn before it becomes a draft."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web import canvas, workflow_tables
from messaging.models import PURPOSES
from workflows.graph import Graph, parse
from workflows.models import Simulation, Workflow
from workflows.problems import GraphInvalid
from workflows.recipes import starters
from workflows.recipes.starters import Starter
from workflows.simulate import keeping
from workflows.steps import ways

PLACE = UUID("6f1f4f0e-2a64-5c11-9d50-2f3f5a0c7b11")
"""What stands for a message or a segment before there is one: ids are made under it."""
TRIED = {"people": {"kind": "synthetic", "count": 100, "authorized": 0.8}, "days": 90, "seed": 1}
"""How a new draft is simulated at once: with people who are invented."""
WORDS = {"send": "Send", "wait": "Wait", "wait_for": "Wait for", "until": "Wait", "task": "Task",
         "split": "Split", "branch": "Ask", "choose": "Ask", "goal": "Goal", "update": "Change",
         "list": "List", "exit": "End", "webhook": "Call",
         "write_back": "Tell the record"}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def recipes(request: HttpRequest) -> HttpResponse:
    """List the recipes; a POST makes the drafts of one and opens it on the canvas."""
    if request.method == "POST":
        return _begin(request)
    may_write = staff_of(request).may(Permission.TEMPLATES_EDIT)
    rows = [_row(one) for one in starters.every()]
    return render(request, "workflows/recipes.html", {"rows": rows, "may_write": may_write})


@require_safe
@requires(Permission.WORKFLOWS_EDIT)
def recipe(request: HttpRequest, slug: str) -> HttpResponse:
    """One recipe on the canvas, before anything of it is made."""
    chosen = starters.one(slug)
    if chosen is None:
        raise Http404
    graph, named = _placed(chosen)
    plan = canvas.plan(graph, names=named)
    context = {
        "row": _row(chosen),
        "plan": plan,
        "rows": workflow_tables.table_of(plan),
        "letters": chosen.letters,
        "may_write": staff_of(request).may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "workflows/recipe.html", context)


def _row(one: Starter) -> dict[str, Any]:
    purposes = dict(PURPOSES)
    return {
        "one": one,
        "purposes": [purposes[each] for each in one.purposes],
        "journey": _journey(one),
    }


def _placed(one: Starter) -> tuple[Graph, canvas.Names]:
    """The recipe's graph with something in the place of what is made or chosen later."""
    made = {letter.key: uuid5(PLACE, letter.key) for letter in one.letters}
    place = str(PLACE)
    nodes = [
        {**node, "template": str(made[node["template"]])}
        if "template" in node
        else {**node, "endpoint": place}
        if node["kind"] == "webhook"
        else node
        for node in one.graph["nodes"]
    ]
    chosen = {"segment": place} if one.asks_segment else {"form": place} if one.asks_form else {}
    trigger = {**one.graph["trigger"], **chosen}
    letters = {made[letter.key]: f"“{letter.heading}”" for letter in one.letters}
    named = canvas.Names(
        templates=letters,
        segments={PLACE: "the segment you choose"},
        forms={PLACE: "the form you choose"},
        endpoints={PLACE: "the endpoint you choose"},
    )
    return parse({**one.graph, "trigger": trigger, "nodes": nodes}), named


def _journey(one: Starter) -> list[dict[str, Any]]:
    """The steps in order, in words, with where each fork leads by the number of the step."""
    graph, named = _placed(one)
    order = list(graph.in_order())
    number = {node: place for place, node in enumerate(order, start=1)}
    rows = []
    for node in order:
        step = graph.steps[node]
        leads = ways(step)
        kind = canvas.KINDS[type(step)]
        rows.append(
            {
                "kind": kind,
                "word": WORDS.get(kind, kind.replace("_", " ").capitalize()),
                "title": _title(kind, canvas.title(step, named)),
                "leads": [
                    {"label": canvas.way_label(way), "number": number[there]}
                    for way, there in leads.items()
                ]
                if len(leads) > 1
                else [],
            }
        )
    return rows


def _title(kind: str, title: str) -> str:
    """What stands behind the kind's word: nothing twice."""
    if kind == "exit":
        return title if title != "Exit" else ""
    title = title.removeprefix("Wait ") if kind == "wait" else title
    return title.removeprefix("Staff: ") if kind != "until" else title[:1].lower() + title[1:]


def _begin(request: HttpRequest) -> HttpResponse:
    chosen = starters.one(request.POST.get("recipe", ""))
    if chosen is None:
        raise Http404
    if not staff_of(request).may(Permission.TEMPLATES_EDIT):
        messages.error(request, "It makes drafts of messages: that needs the right to write them.")
        return redirect("workflow-recipes")
    made = starters.begin(chosen, now=timezone.now())
    left = f"choose {' and '.join(chosen.asks)}, then " if chosen.asks else ""
    messages.success(
        request,
        f"Drafts made: the workflow and {len(chosen.letters)} "
        f"message{'s' if len(chosen.letters) > 1 else ''}. Now {left}write on the messages under "
        "Templates and have them approved.",
    )
    if (tried := _try(made)) is not None:
        address = reverse("workflow-simulation", args=[made.id, tried.id])
        said = (
            "Simulated with 100 invented people already: <a href='{}'>see what became of them</a>."
        )
        messages.info(request, format_html(said, address))
    return redirect("workflow-edit", made.id)


def _try(made: Workflow) -> Simulation | None:
    """Simulate the draft; None where it lacks what only a person can choose, such as a segment."""
    now = timezone.now()
    try:
        tried = keeping.start(made, TRIED, now=now)
    except GraphInvalid:
        return None
    keeping.attempt(tried, now=now)
    return tried if tried.state == Simulation.State.DONE else None
