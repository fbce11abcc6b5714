"""Rules of other products, replayed: what all of them answer alike must hold here too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contacts.fields import DataClass, Field, FieldType
from contacts.segments.definition import DefinitionInvalid, parse
from contacts.segments.facts import Facts, Happening
from contacts.segments.semantics import matches
from tests.intake.builders import DATA

RULES = DATA / "segments" / "rules.jsonl"
pytestmark = pytest.mark.skipif(not RULES.exists(), reason="needs the published rules beside it")

OPERATORS = {
    "eq": "equals", "ne": "not_equals", "in": "in", "gt": "gt", "gte": "gte", "lt": "lt",
    "lte": "lte", "before": "before", "after": "after", "starts_with_any": "starts_with",
    "ends_with_any": "ends_with", "contains_any": "contains",
}  # fmt: skip
UNITS = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
NOW = datetime(2022, 5, 1, tzinfo=UTC)


class NotOurs(Exception):
    """The row asks something that today's operators do not: regular expressions, arrays ..."""


def rows() -> Iterator[dict[str, Any]]:
    yield from (json.loads(line) for line in RULES.read_text().splitlines())


def typed(key: str, type_: FieldType) -> Field:
    return Field(key=key, label=key, type=type_, data_class=DataClass.DEMOGRAPHIC)


def moment(value: Any) -> str:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat()
    parsed = datetime.fromisoformat(str(value).replace(" +", "+"))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()


def translate(rule: Any, profile: dict[str, Any], fields: dict[str, Field]) -> Any:
    """Put a rule into our language, declaring its fields on the way."""
    for join in ("all", "any"):
        if join in rule:
            return {join: [translate(part, profile, fields) for part in rule[join]]}
    if "not" in rule:
        return {"not": translate(rule["not"], profile, fields)}
    if "event" in rule:
        if "where" in rule:
            raise NotOurs("event properties are sealed")
        return {"event": rule["event"].lower().replace(" ", "_")}
    return leaf(rule, profile, fields)


def leaf(rule: dict[str, Any], profile: dict[str, Any], fields: dict[str, Field]) -> Any:
    key, op, value = rule["field"], rule["op"], rule["value"]
    fold = op.endswith("_ci")
    op = op.removesuffix("_ci")
    if op == "not_in":
        return {"not": leaf({**rule, "op": "in" + "_ci" * fold}, profile, fields)}
    if op == "exists":
        fields.setdefault(key, typed(key, FieldType.TEXT))
        known = {"field": key, "op": "exists"}
        return known if value else {"not": known}
    if op in ("before_time_ago", "after_time_ago"):
        fields[key] = typed(key, FieldType.DATETIME)
        ago = {"ago": int(value[:-1]), "unit": UNITS[value[-1]]}
        return {"field": key, "op": op.removesuffix("_time_ago"), "value": ago}
    if op not in OPERATORS:
        raise NotOurs(op)
    return scalar(key, op, value, fields, fold=fold)


def scalar(key: str, op: str, value: Any, fields: dict[str, Field], *, fold: bool) -> Any:
    asked = {"field": key, "op": OPERATORS[op], "value": value}
    one = value[0] if isinstance(value, list) and value else value
    if op in ("before", "after"):
        fields[key] = typed(key, FieldType.DATETIME)
        # A plain day is its first moment there; here it is the whole day.
        return {**asked, "value": moment(value)}
    if isinstance(one, bool):
        fields[key] = typed(key, FieldType.BOOLEAN)
        values = value if isinstance(value, list) else [value]
        return {"any": [{**asked, "op": "equals", "value": each} for each in values]}
    if isinstance(one, int | float):
        fields[key] = typed(key, FieldType.NUMBER)
        return asked
    if not isinstance(one, str) or (isinstance(value, list) and op == "eq"):
        raise NotOurs("values that are lists")
    fields[key] = typed(key, FieldType.TEXT)
    return asked if fold else {**asked, "case": "exact"}


def held(profile: dict[str, Any], fields: dict[str, Field]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, field in fields.items():
        value: Any = profile
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            continue
        if isinstance(value, list):
            raise NotOurs("values that are lists")
        if field.type is FieldType.DATETIME:
            value = datetime.fromisoformat(moment(value))
        values[key] = value if not isinstance(value, dict) else "nested"
    return values


def answer(row: dict[str, Any]) -> bool:
    fields: dict[str, Field] = {}
    tree = translate(row["rule"], row["profile"], fields)
    events = tuple(
        Happening(event["name"].lower().replace(" ", "_"), NOW) for event in row.get("events", ())
    )
    try:
        definition = parse(tree, fields=fields)
    except DefinitionInvalid as invalid:
        raise NotOurs(str(invalid)) from invalid
    now = datetime.combine(date.fromisoformat(row["now"]), NOW.timetz()) if "now" in row else NOW
    return matches(definition, Facts(held(row["profile"], fields), events), now=now)


def test_what_products_answer_alike_we_answer_so_too() -> None:
    """175 rows are common; 26 ask for regular expressions, arrays or event properties."""
    left_out: Counter[str] = Counter()
    wrong, answered = [], 0
    for row in rows():
        if not row["common"]:
            continue
        try:
            if answer(row) is not row["expected"]:
                wrong.append(row["id"])
            answered += 1
        except NotOurs as reason:
            left_out[str(reason)[:40]] += 1
    assert wrong == []
    assert (answered, sum(left_out.values())) == (149, 26), left_out
