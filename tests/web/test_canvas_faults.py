"""What the editor says of a draft is said in the words of its forms."""

from __future__ import annotations

from typing import Any

import pytest

from marketing.web import canvas_forms
from marketing.web.canvas_forms import faults
from marketing.web.canvas_forms.entering import TRIGGERS
from workflows.problems import Problem

FORMS = (*canvas_forms.KINDS, *TRIGGERS)
DRAFT: dict[str, Any] = {
    "trigger": {"kind": "schedule"},
    "nodes": [
        {"id": "send", "kind": "send"},
        {"id": "wait", "kind": "wait_for"},
        {"id": "odd", "kind": "nothing"},
        "no step at all",
    ],
}


def said(node: str, code: str, message: str, draft: object = DRAFT) -> str:
    return faults.in_words(Problem(node, code, message), draft, FORMS).message


@pytest.mark.parametrize(
    ("node", "message", "words"),
    [
        ("send", "template is missing: give an id", "Message is missing: choose one"),
        ("wait", "up_to is not usable: give a time", "Up to is not usable: give a time"),
        ("", "first is missing: give a moment", "From is missing: give a moment"),
        (
            "wait",
            "unheard is missing: name a step",
            "“no, time over” leads nowhere: choose the step that follows, or an end",
        ),
    ],
)
def test_a_key_is_called_what_the_form_calls_it(node: str, message: str, words: str) -> None:
    assert said(node, "missing", message) == words


@pytest.mark.parametrize("node", ["odd", "gone", "send", ""])
def test_what_no_form_has_is_said_as_it_is(node: str) -> None:
    for message in ("people would go round for ever: a", "hue is missing: give a colour"):
        assert said(node, "cycle", message) == message


def test_a_draft_of_any_shape_does() -> None:
    drafts: list[object] = [{}, {"nodes": None}, {"nodes": {}, "trigger": "x"}, [], None]
    for draft in drafts:
        assert said("send", "missing", "template is missing: x", draft) == "template is missing: x"
        assert said("", "missing", "event is missing: x", draft) == "event is missing: x"
