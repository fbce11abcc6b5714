"""Stories of another product: events come in, time goes by, and people are in or out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.fields import DataClass, Field, FieldType
from contacts.segments.definition import parse
from contacts.segments.facts import Facts, Happening
from contacts.segments.semantics import matches
from tests.intake.builders import DATA

STORIES = DATA / "segments" / "timelines.json"
pytestmark = pytest.mark.skipif(not STORIES.exists(), reason="needs the published stories")

NOT_ABOUT_MEMBERS = {
    "dittofeed-38e9c1b364", "dittofeed-5d36eecee8", "dittofeed-e45a5ce0b8",
    "dittofeed-c098b45731", "dittofeed-8af3b4ed49", "dittofeed-0c3ca8eb2c",
    "dittofeed-a5ca403ede", "dittofeed-4dda8f99ae",
}  # fmt: skip
"""They work out values for templates, or who may be mailed: not who is in a segment."""
NOT_ASKED = {
    "dittofeed-7a1b8b0b19": "HasBeen", "dittofeed-778854afc5": "HasBeen",
    "dittofeed-5acd1438c0": "TEST_*",
}  # fmt: skip
"""What docs/segments.md says is not asked here, with what to ask instead."""
SPANS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
TIMES = {"=": ("exactly", 0), ">=": ("at_least", 0), ">": ("at_least", 1), "<=": ("at_most", 0)}


def stories() -> list[dict[str, Any]]:
    return json.loads(STORIES.read_text()) if STORIES.exists() else []


def told(story: dict[str, Any]) -> bool:
    return story["id"] not in NOT_ABOUT_MEMBERS | NOT_ASKED.keys()


class Story:
    """What has come in so far, and what the segments mean just now."""

    def __init__(self, story: dict[str, Any]) -> None:
        self.start = datetime.fromisoformat(story["clock_start"])
        self.definitions = {one["name"]: one["definition"] for one in story["segments"]}
        self.events: list[tuple[int, dict[str, Any]]] = []

    def disagreements(self, timeline: list[dict[str, Any]]) -> Iterator[Any]:
        for step in timeline:
            if "event" in step:
                self.events.append((step["at_ms"], step["event"]))
            for one in step.get("define", {}).get("segments", ()):
                self.definitions[one["name"]] = one["definition"]
            for expected in step.get("expect", ()):
                for name, member in expected.get("segments", {}).items():
                    if self.member(name, expected["id"], step["at_ms"]) is not bool(member):
                        yield step["at_ms"], name, expected["id"]

    def member(self, name: str, user: str, at_ms: int) -> bool:
        whole = self.definitions[name]
        nodes = {node["id"]: node for node in whole["nodes"]}
        fields: dict[str, Field] = {}
        tree = translate(whole["entryNode"], nodes, fields)
        now = self.start + timedelta(milliseconds=at_ms)
        return matches(parse(tree, fields=fields), self.facts(user, fields), now=now)

    def facts(self, user: str, fields: dict[str, Field]) -> Facts:
        values: dict[str, Any] = {}
        events = []
        for at_ms, event in sorted(self.events, key=lambda one: one[0]):
            if event["userId"] != user:
                continue
            values |= {key: v for key, v in event.get("traits", {}).items() if key in fields}
            if event["type"] == "track":
                at = self.start + timedelta(milliseconds=at_ms)
                held = event.get("properties", {})
                events.append(Happening(kind(event["event"]), at, properties=held))
        return Facts(values, tuple(events))


def kind(name: str) -> str:
    return name.lower().replace(" ", "_")


def translate(node: Any, nodes: dict[str, Any], fields: dict[str, Field]) -> Any:
    if node["type"] in ("And", "Or"):
        parts = [translate(nodes[child], nodes, fields) for child in node["children"]]
        return {"all" if node["type"] == "And" else "any": parts}
    if node["type"] == "Trait":
        return trait(node, fields)
    if node["type"] == "LastPerformed":
        return {
            "event": kind(node["event"]),
            "which": "last",
            "of": [condition(one) for one in node["whereProperties"]],
            "where": [condition(one) for one in node["hasProperties"]],
        }
    assert node["type"] == "Performed"
    asked: dict[str, Any] = {"event": kind(node["event"]), "times": times(node)}
    if "properties" in node:
        asked["where"] = [condition(one) for one in node["properties"]]
    if "withinSeconds" in node:
        asked |= within(node["withinSeconds"])
    return asked


def times(node: dict[str, Any]) -> dict[str, int]:
    if node.get("timesOperator") == "<":
        return {"at_most": node["times"] - 1}
    word, more = TIMES[node.get("timesOperator", ">=")]
    return {word: node.get("times", 1) + more}


def within(seconds: int) -> dict[str, int]:
    unit, size = next((unit, size) for unit, size in SPANS if seconds % size == 0)
    return {f"within_{unit}": seconds // size}


def condition(one: dict[str, Any]) -> dict[str, Any]:
    return {"property": one["path"], **operator(one["operator"])}


def operator(asked: dict[str, Any]) -> dict[str, Any]:
    op = {
        "Equals": "equals",
        "NotEquals": "not_equals",
        "Exists": "exists",
        "GreaterThanOrEqual": "gte",
        "LessThan": "lt",
    }[asked["type"]]
    value = {} if op == "exists" else {"value": asked["value"]}
    exact = {"case": "exact"} if isinstance(asked.get("value"), str) else {}
    return {"op": op, **value, **exact}


def trait(node: dict[str, Any], fields: dict[str, Field]) -> dict[str, Any]:
    key = node["path"].removeprefix('$["').removesuffix('"]')
    numeric = isinstance(node["operator"].get("value"), int | float)
    type_ = FieldType.NUMBER if numeric else FieldType.TEXT
    fields[key] = Field(key=key, label=key, type=type_, data_class=DataClass.DEMOGRAPHIC)
    return {"field": key, **operator(node["operator"])}


@pytest.mark.parametrize(
    "story", [one for one in stories() if told(one)], ids=lambda one: one["id"]
)
def test_people_are_in_and_out_as_the_story_tells(story: dict[str, Any]) -> None:
    assert list(Story(story).disagreements(story["timeline"])) == []


def test_every_story_is_told_or_said_to_be_another_matter() -> None:
    left = [one for one in stories() if not told(one)]
    asked = {one["id"] for one in left if one.get("segments")}
    assert {one["id"] for one in left} == NOT_ABOUT_MEMBERS | NOT_ASKED.keys()
    assert asked == NOT_ASKED.keys()
