"""Stories of another product: events come in, time goes by, and people are in or out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from contacts.fields import DataClass, Field, FieldType
from contacts.segments.definition import Definition, parse
from contacts.segments.facts import Facts, Happening
from contacts.segments.nodes import ENTERED, LEFT
from contacts.segments.semantics import matches
from tests.intake.builders import DATA

STORIES = DATA / "segments" / "timelines.json"
pytestmark = pytest.mark.skipif(not STORIES.exists(), reason="needs the published stories")

SPANS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
TIMES = {"=": ("exactly", 0), ">=": ("at_least", 0), ">": ("at_least", 1), "<=": ("at_most", 0)}


def stories() -> list[dict[str, Any]]:
    return json.loads(STORIES.read_text()) if STORIES.exists() else []


def definitions(story: dict[str, Any]) -> list[dict[str, Any]]:
    """Every definition that the story brings, at its beginning and later."""
    later = (step["define"] for step in story["timeline"] if "define" in step)
    return [one for some in (story, *later) for one in some.get("segments") or ()]


def is_about_members(story: dict[str, Any]) -> bool:
    """The others work out values for templates, or who may be mailed."""
    expected = (one for step in story["timeline"] for one in step.get("expect", ()))
    return bool(definitions(story)) and any(one.get("segments") for one in expected)


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
        held: dict[UUID, Any] = {}
        tree = translate(whole["entryNode"], nodes, fields, held)
        facts = self.facts(user, fields, at_ms)
        for segment, asked in held.items():
            moves = self.moves(user, segment, parse(asked, fields=fields), fields)
            facts = replace(facts, events=(*facts.events, *moves))
        return matches(parse(tree, fields=fields), facts, now=self.at(at_ms))

    def at(self, at_ms: int) -> datetime:
        return self.start + timedelta(milliseconds=at_ms)

    def moves(
        self, user: str, segment: UUID, asked: Definition, fields: dict[str, Field]
    ) -> Iterator[Happening]:
        """When the user came into a segment and left it, as each event told."""
        inside = False
        for at_ms in sorted({at_ms for at_ms, _ in self.events}):
            holds = matches(asked, self.facts(user, fields, at_ms), now=self.at(at_ms))
            if holds is not inside:
                yield Happening(ENTERED if holds else LEFT, self.at(at_ms), campaign=segment)
            inside = holds

    def facts(self, user: str, fields: dict[str, Field], until_ms: int) -> Facts:
        values: dict[str, Any] = {}
        events = []
        for at_ms, event in sorted(self.events, key=lambda one: one[0]):
            if event["userId"] != user or at_ms > until_ms:
                continue
            traits = event.get("traits", {})
            values |= {key: stored(traits[key], fields[key]) for key in fields.keys() & traits}
            if event["type"] == "track":
                held = event.get("properties", {})
                events.append(Happening(kind(event["event"]), self.at(at_ms), properties=held))
        known = {key: value for key, value in values.items() if value not in (None, "", ())}
        return Facts(known, tuple(events))


def stored(value: Any, field: Field) -> Any:
    """A trait as a field of this type keeps it; nothing where it does not fit."""
    if field.type is FieldType.CHOICES:
        return tuple(map(str, value)) if isinstance(value, list) else ()
    if field.type is FieldType.DATETIME:
        return moment(value)
    fitting = int | float if field.type is FieldType.NUMBER else str
    return value if isinstance(value, fitting) else None


def moment(value: Any) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / (1000 if value > 10**11 else 1), UTC)
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def kind(name: str) -> str:
    return name.lower().replace(" ", "_")


def translate(
    node: Any, nodes: dict[str, Any], fields: dict[str, Field], held: dict[UUID, Any]
) -> Any:
    """Put a node into our language; `held` takes the segments that it asks since when."""
    if node["type"] in ("And", "Or"):
        parts = [translate(nodes[child], nodes, fields, held) for child in node["children"]]
        return {"all" if node["type"] == "And" else "any": parts}
    if node["type"] == "Trait" and node["operator"]["type"] == "HasBeen":
        return has_been(node, fields, held)
    return LEAVES[node["type"]](node, fields)


def has_been(node: dict[str, Any], fields: dict[str, Field], held: dict[UUID, Any]) -> Any:
    asked = node["operator"]
    segment = uuid5(NAMESPACE_OID, node["id"])
    held[segment] = trait({**node, "operator": {**asked, "type": "Equals"}}, fields)
    span = within(asked["windowSeconds"])
    if asked["comparator"] == "LT":
        return {"segment": str(segment), **span}
    ((key, count),) = span.items()
    ago = {"ago": count, "unit": key.removeprefix("within_")}
    return {"segment": str(segment), "before": ago}


def last_performed(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    asked: dict[str, Any] = {"event": kind(node["event"]), "which": "last"}
    for key, named in (("of", "whereProperties"), ("where", "hasProperties")):
        if node.get(named):
            asked[key] = [condition(one) for one in node[named]]
    return asked


def performed(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    asked: dict[str, Any] = {"event": kind(node["event"]), "times": times(node)}
    if node.get("properties"):
        asked["where"] = [condition(one) for one in node["properties"]]
    if "withinSeconds" in node:
        asked |= within(node["withinSeconds"])
    return asked


def mailed(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    template = {"property": "templateId", "op": "equals", "value": node["templateId"]}
    return {"event": kind(node["event"]), "where": [{**template, "case": "exact"}]}


def keyed(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    """Performed, and of those with this value of the property that names the thing."""
    its = {"path": node["key"], "operator": {"type": "Equals", "value": node["keyValue"]}}
    return performed({**node, "properties": [*node.get("properties", ()), its]}, fields)


def subscribed(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    """The last wish about a group decides; without one, whether it asks for a yes or a no."""
    group = {"property": "subscriptionId", "op": "equals", "value": node["subscriptionGroupId"]}
    opted_in = node.get("subscriptionGroupType") == "OptIn"
    wish = "Subscribe" if opted_in else "Unsubscribe"
    said: dict[str, Any] = {
        "event": kind("DFSubscriptionChange"),
        "which": "last",
        "of": [{**group, "case": "exact"}],
        "where": [{"property": "action", "op": "equals", "value": wish}],
    }
    return said if opted_in else {"not": said}


def includes(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    key = declare(node["path"], FieldType.CHOICES, fields)
    return {"field": key, "op": "has_any", "value": node["item"], "case": "exact"}


def bucket(node: dict[str, Any], fields: dict[str, Field]) -> Any:
    share = {"share": {"percent": node["percent"] * 100, "of": node["id"]}}
    return share if node["percent"] else {"not": {"everyone": True}}


def times(node: dict[str, Any]) -> dict[str, int]:
    if node.get("timesOperator") == "<":
        return {"at_most": node["times"] - 1}
    word, more = TIMES[node.get("timesOperator", ">=")]
    return {word: node.get("times", 1) + more}


def within(seconds: int) -> dict[str, int]:
    unit, size = next((unit, size) for unit, size in SPANS if seconds % size == 0)
    return {f"within_{unit}": seconds // size}


def condition(one: dict[str, Any]) -> dict[str, Any]:
    if one["operator"]["type"] == "NotExists":
        return {"not": condition({**one, "operator": {"type": "Exists"}})}
    return {"property": one["path"], **operator(one["operator"])}


def operator(asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked of a property, or of a field that is no time."""
    op = COMPARED[asked["type"]]
    value = {} if op == "exists" else {"value": asked["value"]}
    exact = {"case": "exact"} if isinstance(asked.get("value"), str) else {}
    return {"op": op, **value, **exact}


def trait(node: dict[str, Any], fields: dict[str, Field]) -> dict[str, Any]:
    path, asked = node["path"], node["operator"]
    if asked["type"] == "NotExists":
        return {"not": trait({**node, "operator": {"type": "Exists"}}, fields)}
    if asked["type"] == "Within":
        ((key, count),) = within(asked["windowSeconds"]).items()
        span = {"value": count, "unit": key.removeprefix("within_")}
        moved = declare(path, FieldType.DATETIME, fields)
        return {"field": moved, "op": "within_last", **span}
    if asked["type"] == "AbsoluteTimestamp":
        moved = declare(path, FieldType.DATETIME, fields)
        return {"field": moved, "op": asked["direction"], "value": asked["absoluteTimestamp"]}
    numeric = isinstance(asked.get("value"), int | float)
    type_ = FieldType.NUMBER if numeric else FieldType.TEXT
    return {"field": declare(path, type_, fields), **operator(asked)}


def declare(path: str, type_: FieldType, fields: dict[str, Field]) -> str:
    key = path.removeprefix('$["').removesuffix('"]').removeprefix("$.")
    fields[key] = Field(key=key, label=key, type=type_, data_class=DataClass.DEMOGRAPHIC)
    return key


COMPARED = {
    "Equals": "equals", "NotEquals": "not_equals", "Exists": "exists",
    "GreaterThanOrEqual": "gte", "LessThan": "lt",
}  # fmt: skip
LEAVES: dict[str, Callable[[dict[str, Any], dict[str, Field]], Any]] = {
    "Trait": trait,
    "Performed": performed,
    "LastPerformed": last_performed,
    "Email": mailed,
    "KeyedPerformed": keyed,
    "SubscriptionGroup": subscribed,
    "Includes": includes,
    "RandomBucket": bucket,
    "Everyone": lambda node, fields: {"everyone": True},
}


@pytest.mark.parametrize(
    "story", [one for one in stories() if is_about_members(one)], ids=lambda one: one["id"]
)
def test_people_are_in_and_out_as_the_story_tells(story: dict[str, Any]) -> None:
    assert list(Story(story).disagreements(story["timeline"])) == []


@pytest.mark.parametrize(
    ("node", "asked"),
    [
        ({"type": "Everyone", "id": "e"}, {"everyone": True}),
        (
            {"type": "Includes", "id": "i", "path": "tags", "item": "vip"},
            {"field": "tags", "op": "has_any", "value": "vip", "case": "exact"},
        ),
        (
            {
                "type": "Trait",
                "id": "w",
                "path": "seenAt",
                "operator": {"type": "Within", "windowSeconds": 300},
            },
            {"field": "seenAt", "op": "within_last", "value": 5, "unit": "minutes"},
        ),
        (
            {"type": "Trait", "id": "n", "path": "email", "operator": {"type": "NotExists"}},
            {"not": {"field": "email", "op": "exists"}},
        ),
        (
            {
                "type": "KeyedPerformed",
                "id": "k",
                "event": "booked",
                "key": "visit",
                "keyValue": "7",
            },
            {
                "event": "booked",
                "times": {"at_least": 1},
                "where": [{"property": "visit", "op": "equals", "value": "7", "case": "exact"}],
            },
        ),
        (
            {
                "type": "SubscriptionGroup",
                "id": "s",
                "subscriptionGroupId": "news",
                "subscriptionGroupType": "OptOut",
            },
            {
                "not": {
                    "event": "dfsubscriptionchange",
                    "which": "last",
                    "of": [
                        {
                            "property": "subscriptionId",
                            "op": "equals",
                            "value": "news",
                            "case": "exact",
                        }
                    ],
                    "where": [{"property": "action", "op": "equals", "value": "Unsubscribe"}],
                }
            },
        ),
        (
            {"type": "RandomBucket", "id": "b", "percent": 0.25},
            {"share": {"percent": 25.0, "of": "b"}},
        ),
    ],
    ids=lambda one: one.get("type", ""),
)
def test_nodes_that_no_published_story_asks_are_asked_here_too(node: Any, asked: Any) -> None:
    fields: dict[str, Field] = {}
    assert translate(node, {}, fields, {}) == asked
    parse(asked, fields=fields)
