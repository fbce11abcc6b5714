"""Graphs that the tests of workflows share."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from workflows import repeats
from workflows.graph import parse

EDUCATION = "0190a000-0000-7000-8000-000000000001"
INVITATION = "0190a000-0000-7000-8000-000000000002"
REMINDER = "0190a000-0000-7000-8000-000000000003"
SEGMENT = "0190a000-0000-7000-8000-0000000000aa"

SERIES: dict[str, Any] = {
    "trigger": {"kind": "segment", "segment": SEGMENT, "present": True},
    "start": "educate",
    "nodes": [
        {"id": "educate", "kind": "send", "template": EDUCATION, "next": "clicked"},
        {
            "id": "clicked",
            "kind": "wait_for",
            "event": "message.clicked",
            "of": "educate",
            "up_to": {"days": 3},
            "heard": "invite",
            "unheard": "remind",
        },
        {"id": "invite", "kind": "send", "template": INVITATION, "next": "end"},
        {"id": "remind", "kind": "send", "template": REMINDER, "next": "end"},
        {"id": "end", "kind": "exit"},
    ],
}


def series(**changes: dict[str, Any]) -> dict[str, Any]:
    """Return the education series with some steps changed; a value of None takes a key away."""
    raw = deepcopy(SERIES)
    for node in raw["nodes"]:
        for key, value in changes.get(node["id"], {}).items():
            node.pop(key, None) if value is None else node.update({key: value})
    return raw


def long_series(waits: int) -> dict[str, Any]:
    """Return so many waits of a day, one after the other, and the end."""
    steps = [
        {"id": f"w{n}", "kind": "wait", "for": {"days": 1}, "next": f"w{n + 1}"}
        for n in range(waits)
    ]
    steps[-1]["next"] = "end"
    return {
        "trigger": {"kind": "api"},
        "start": "w0",
        "nodes": [*steps, {"id": "end", "kind": "exit"}],
    }


def once_only(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the drawing with goals that would send people through a step twice only counted."""
    named = {one.node for one in repeats.problems(parse(raw))}
    nodes = [
        {key: value for key, value in node.items() if key != "next"} | {"then": "count"}
        if node["id"] in named
        else node
        for node in raw["nodes"]
    ]
    return raw | {"nodes": nodes}
