"""What stands beside a version's drawing: who came to each step, where people leave, and why.

It is told with the page, and again by itself while somebody looks, so that it moves with the
drawing.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import Any

from django.db.models import Count
from django.template.loader import render_to_string
from django.utils import timezone

from consent.policy import REASONS
from marketing.web import canvas
from marketing.web.timeline import words
from marketing.web.workflow_figures import Teller
from workflows import enrol
from workflows.graph import parse
from workflows.models import Enrolment, Workflow, WorkflowVersion
from workflows.steps import Goal

GOAL = "goal:"
WHY_STOPPED = {
    "stopped_by_staff": ("The workflow was closed, and whoever was inside left.", ""),
    "deceased": ("The person has died.", ""),
    "erased": ("The person was erased, and is not written to any more.", ""),
    "merged": ("Two records of one person became one, and the other's way goes on.", ""),
    "migrated_out": ("The version's people were moved, and those at this step left.", ""),
    "kept_out": ("The rules of the trigger keep this person out.", "Change “only” or “nobody”."),
    "no_date": ("The date that a step waits for is not known.", "Give the step a way for that."),
    "budget_spent": ("The journey took more steps than any may.", "Publish a shorter graph."),
    "step_twice": ("The journey came to a step that lay behind.", "Publish a mended graph."),
}


def told(
    found: Workflow,
    version: WorkflowVersion,
    figures: canvas.Funnel,
    fates: dict[str, str],
    plan: dict[str, Any],
) -> dict[str, Any]:
    """Return the tables; `mark` is another as soon as anything in them is."""
    context = {
        "workflow": found,
        "version": version,
        "rows": table_of(plan),
        "fates": fates,
        "overflow": _overflow(found, figures.tell),
        "steps": _steps(figures, plan),
        "losses": _losses(version, figures.tell),
        "goals": _goals(version, figures.tell),
    }
    shown = render_to_string("workflows/_figures_again.html", context)
    return context | {"mark": blake2b(shown.encode(), digest_size=8).hexdigest()}


def table_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the drawing's twin: each step with the titles of where it leads."""
    titles = {step["id"]: step["title"] for step in plan["steps"]}
    leads: dict[str, list[dict[str, str]]] = {step["id"]: [] for step in plan["steps"]}
    for way in plan["ways"]:
        leads[way["from"]].append({"to": titles[way["to"]], "label": way["label"]})
    return [{"step": step, "ways": leads[step["id"]]} for step in plan["steps"]]


def _steps(figures: canvas.Funnel, plan: dict[str, Any]) -> list[dict[str, Any]]:
    titles = {step["id"]: step["title"] for step in plan["steps"]}
    listed = {step["id"] for step in plan["steps"] if step.get("href")}
    return [
        {
            "node": one.node,
            "title": titles.get(one.node, one.node),
            "listed": one.node in listed,
            **{
                what: figures.tell(one.node, what, getattr(one, what))
                for what in ("arrived", "passed", "lost", "inside")
            },
        }
        for one in figures.steps.values()
    ]


def _overflow(found: Workflow, tell: Teller) -> str:
    """How many wait to come in because of the limit per hour; empty for none."""
    count = enrol.overflow(found.id, now=timezone.now())
    return str(tell("", "overflow", count)) if count else ""


def _losses(version: WorkflowVersion, tell: Teller) -> list[tuple[str, str, str, str]]:
    """Return how many left before the end: the code, what it means, what would change it."""
    found: Counter[str] = Counter()
    for outcome, count in _ended(version).exclude(outcome__startswith=GOAL):
        found[outcome.removeprefix("refused:")] += count
    tell.ask({("", f"lost {code}"): count for code, count in found.items()})
    return [
        (str(tell("", f"lost {code}", count)), *why_left(code))
        for code, count in found.most_common()
    ]


def _goals(version: WorkflowVersion, tell: Teller) -> list[tuple[str, str]]:
    """Return how many reached each goal that ends the way, and what it is in words."""
    found = dict(_ended(version).filter(outcome__startswith=GOAL))
    tell.ask({("", f"reached {outcome}"): count for outcome, count in found.items()})
    steps = parse(version.graph).steps if found else {}
    told = []
    for outcome, count in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        step = steps.get(outcome.removeprefix(GOAL))
        said = words(step.event) if isinstance(step, Goal) else "A goal"
        told.append((str(tell("", f"reached {outcome}", count)), said))
    return told


def _ended(version: WorkflowVersion) -> Any:
    """Return how many came to each end that is not that of the graph."""
    ended = Enrolment.objects.filter(version_id=version.id, state=Enrolment.State.STOPPED)
    return ended.values_list("outcome").annotate(n=Count("id")).order_by()


def why_left(outcome: str) -> tuple[str, str, str]:
    """Return why somebody left before the end: the code, a sentence, and what would change it."""
    code = outcome.removeprefix("refused:")
    if code.startswith("stopped:"):
        kind = code.removeprefix("stopped:")
        return code, f"It ends the way: {words(kind)}.", "Change when the workflow stops."
    return code, *(REASONS | WHY_STOPPED).get(code, (code.replace("_", " ").capitalize(), ""))
