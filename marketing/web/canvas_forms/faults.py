"""What keeps a draft from going live, said by the labels of its forms, not the graph's keys."""

from __future__ import annotations

import re
from collections.abc import Iterable

from marketing.web.canvas_forms.shape import FieldForm, KindForm, WayForm
from workflows.problems import Problem

_LACKS = re.compile(r"(?P<key>\w+) (?P<how>is missing|is not usable): (?P<wanted>.+)", re.DOTALL)
_CHOSEN = frozenset({"choice", "pick", "message"})


def in_words(problem: Problem, draft: object, forms: Iterable[KindForm]) -> Problem:
    """Return the problem with its sentence as the form says it; the same where it names no key."""
    lacks = _LACKS.fullmatch(problem.message)
    form = {one.kind: one for one in forms}.get(_kind(problem.node, draft))
    if lacks is None or form is None:
        return problem
    key, how, wanted = lacks["key"], lacks["how"], lacks["wanted"]
    parts: tuple[FieldForm | WayForm, ...] = (*form.ways, *form.fields)
    for part in parts:
        if part.key == key:
            return Problem(problem.node, problem.code, _sentence(part, how, wanted))
    return problem


def _kind(node: str, draft: object) -> str:
    """Return the kind of the step, or of what lets people in where no step is named."""
    if not isinstance(draft, dict):
        return ""
    steps = draft.get("nodes") if node else [draft.get("trigger")]
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and (not node or step.get("id") == node):
            return str(step.get("kind", ""))
    return ""


def _sentence(part: FieldForm | WayForm, how: str, wanted: str) -> str:
    if isinstance(part, WayForm):
        return f"“{part.label}” leads nowhere: choose the step that follows, or an end"
    if part.type in _CHOSEN:
        return f"{part.label} {how}: choose one"
    return f"{part.label} {how}: {wanted}"
