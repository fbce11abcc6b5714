"""Recipes: journeys to start from, each explained before it becomes a draft."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from messaging.models import PURPOSES
from workflows.recipes import starters

WORDS = {"send": "message", "wait": "wait", "wait_for": "wait for", "until": "wait until",
         "task": "ask staff", "split": "split", "exit": "end"}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def recipes(request: HttpRequest) -> HttpResponse:
    """List the recipes; a POST makes the drafts of one and opens it on the canvas."""
    if request.method == "POST":
        return _begin(request)
    purposes = dict(PURPOSES)
    rows = [
        {
            "one": one,
            "purposes": [purposes[each] for each in one.purposes],
            "steps": [WORDS.get(kind, kind) for kind in one.steps],
        }
        for one in starters.every()
    ]
    return render(request, "workflows/recipes.html", {"rows": rows})


def _begin(request: HttpRequest) -> HttpResponse:
    chosen = starters.one(request.POST.get("recipe", ""))
    if chosen is None:
        raise Http404
    if not staff_of(request).may(Permission.TEMPLATES_EDIT):
        messages.error(request, "It makes drafts of messages: that needs the right to write them.")
        return redirect("workflow-recipes")
    made = starters.begin(chosen, now=timezone.now())
    left = "choose its segment, then " if chosen.asks_segment else ""
    messages.success(
        request,
        f"Drafts made: the workflow and {len(chosen.letters)} "
        f"message{'s' if len(chosen.letters) > 1 else ''}. Now {left}write on the messages under "
        "Templates and have them approved.",
    )
    return redirect("workflow-edit", made.id)
