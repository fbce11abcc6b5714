"""What the editor knows of each kind of step: its fields, its ways on, and what can be chosen.

The editor draws its forms from this alone. A kind of step that `workflows.reading` reads and this
page does not describe fails a test, so that nothing which runs can be missing from the editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from accounts.models import User
from marketing.web.canvas_forms.changing import EXIT, LIST, UPDATE
from marketing.web.canvas_forms.deciding import BRANCH, CHOOSE, GOAL, SPLIT
from marketing.web.canvas_forms.entering import TRIGGERS
from marketing.web.canvas_forms.options import options
from marketing.web.canvas_forms.outward import WEBHOOK, WRITE_BACK
from marketing.web.canvas_forms.sending import SEND, TASK
from marketing.web.canvas_forms.shape import Option
from marketing.web.canvas_forms.waiting import UNTIL, WAIT, WAIT_FOR

KINDS = (
    SEND, WAIT, UNTIL, WAIT_FOR, BRANCH, CHOOSE, SPLIT, GOAL, TASK, WEBHOOK,
    WRITE_BACK, UPDATE, LIST, EXIT
)  # fmt: skip
"""In the order in which the editor offers them."""


def forms(user: User) -> dict[str, Any]:
    """Return the forms and what this member of staff may choose from."""
    return {
        "kinds": [asdict(one) for one in KINDS],
        "triggers": [asdict(one) for one in TRIGGERS],
        "options": {name: _plain(found) for name, found in options(user).items()},
    }


def _plain(options: Iterable[Option]) -> list[dict[str, str]]:
    return [asdict(one) for one in options]


def drawable(draft: object) -> bool:
    """Tell whether the editor can hold the draft: steps with a name and a kind, however unsound."""
    if not isinstance(draft, dict) or not isinstance(draft.get("nodes"), list):
        return False
    nodes: Sequence[object] = draft["nodes"]
    named = [one["id"] for one in nodes if _named(one) and isinstance(one, dict)]
    return (
        len(named) == len(nodes) == len(set(named))
        and _has_kind(draft.get("trigger"))
        and isinstance(draft.get("start", ""), str)
    )


def _named(step: object) -> bool:
    return isinstance(step, dict) and isinstance(step.get("id"), str) and _has_kind(step)


def _has_kind(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("kind"), str)
