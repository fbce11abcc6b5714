"""Rules of other products put into our language, and profiles put into our fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contacts.canonical import ValueRefused, canonical
from contacts.fields import DataClass, Field, FieldType
from contacts.segments import building
from contacts.segments.definition import DefinitionInvalid, parse
from contacts.segments.facts import Facts, Happening
from contacts.segments.semantics import matches

OPERATORS = {
    "eq": "equals", "ne": "not_equals", "in": "in", "gt": "gt", "gte": "gte", "lt": "lt",
    "lte": "lte", "before": "before", "after": "after", "starts_with_any": "starts_with",
    "ends_with_any": "ends_with", "contains_any": "contains", "regex": "matches",
    "between": "between",
}  # fmt: skip
OF_LISTS = {"in": "has_any", "array_has_all": "has_all", "array_has_any": "has_any"}
SIZES = {
    "eq": ("size_eq", 0), "gte": ("size_gte", 0), "lte": ("size_lte", 0),
    "gt": ("size_gte", 1), "lt": ("size_lte", -1),
}  # fmt: skip
UNITS = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
NOW = datetime(2022, 5, 1, tzinfo=UTC)
Rule = dict[str, Any]


class Refused(Exception):
    """Our language does not take the question; the message says why."""


def answer(row: dict[str, Any]) -> bool:
    """Return whether the row's profile matches, or raise Refused."""
    world = World(row["profile"])
    tree = world.translate(row["rule"])
    events = tuple(
        Happening(kind(event["name"]), clock(row), properties=event)
        for event in row.get("events", ())
    )
    try:
        definition = parse(tree, fields=world.fields)
    except DefinitionInvalid as invalid:
        raise Refused(str(invalid)) from invalid
    return matches(definition, Facts(world.held(), events), now=clock(row))


def clock(row: dict[str, Any]) -> datetime:
    """The row's clock: a day, or a time; UTC where it has no offset."""
    now = datetime.fromisoformat(row["now"]) if "now" in row else NOW
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def kind(name: str) -> str:
    return name.lower().replace(" ", "_")


class World:
    """A profile, and the fields that a rule turns out to ask of it."""

    def __init__(self, profile: dict[str, Any]) -> None:
        self.profile = profile
        self.fields: dict[str, Field] = {}

    def value_at(self, path: str) -> Any:
        """Dots lead into nested objects, and `[]` to each one of a list."""
        values: Any = [self.profile]
        for part in path.removesuffix("[]").replace("[].", ".[].").split("."):
            if part == "[]":
                values = [one for value in values for one in value]
            else:
                values = [v[part] for v in values if isinstance(v, dict) and part in v]
        return values if "[]" in path else values[0] if values else None

    def declare(self, key: str, type_: FieldType) -> None:
        field = Field(key=key, label=key, type=type_, data_class=DataClass.DEMOGRAPHIC)
        if self.fields.setdefault(key, field).type is not type_:
            raise Refused("a field has one type")

    def translate(self, rule: Rule) -> Rule:
        for join in ("all", "any"):
            if join in rule:
                return {join: [self.translate(part) for part in rule[join]]}
        if "not" in rule:
            return {"not": self.translate(rule["not"])}
        if "event" in rule:
            where = {"where": of_property(rule["where"])} if "where" in rule else {}
            return {"event": kind(rule["event"]), **where}
        return self.leaf(rule)

    def leaf(self, rule: Rule) -> Rule:
        key, op, value = rule["field"], rule["op"], rule["value"]
        fold = op.endswith("_ci")
        op = op.removesuffix("_ci")
        case = {} if fold else {"case": "exact"}
        if op.startswith("not_"):
            return {"not": self.leaf({**rule, "op": op.removeprefix("not_") + "_ci" * fold})}
        if op == "array_any":
            return self.of_items(key, value)
        if op in ("array_size", "array_size_where"):
            self.declare(key, FieldType.CHOICES)
            return of_size(key, value if op == "array_size_where" else {"op": "eq", "value": value})
        whole = op == "eq" and isinstance(value, list)
        if whole or op.startswith("array_") or isinstance(self.value_at(key), list):
            return self.of_list(key, op, value, case)
        if op == "in" and isinstance(value, list):
            return self.one_of(key, value, case)
        return self.scalar(key, op, value, case)

    def one_of(self, key: str, values: list[Any], case: Rule) -> Rule:
        """Of values of several types, those of the profile's own can be its value."""
        mine = sort_of(self.value_at(key))
        fitting = [value for value in values if mine in (None, sort_of(value))]
        return self.scalar(key, "in", fitting or values, case)

    def of_items(self, key: str, rule: Rule) -> Rule:
        """An entry of the list for which the rule holds; of objects, one of their fields."""
        if "any" in rule:
            return {"any": [self.of_items(key, part) for part in rule["any"]]}
        if "field" not in rule:
            return self.of_numbers(key, rule)
        inner = rule["field"].removeprefix("item").removeprefix(".")
        path = f"{key}[].{inner}" if inner else key
        op: str = "in" if rule["op"] == "eq" else rule["op"]
        value = [rule["value"]] if op == "in" and rule["op"] == "eq" else rule["value"]
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.declare(path, FieldType.RESULTS)
            return {"field": path, "op": "count_gte", "value": 1, "where": {op: value}}
        fold = op.endswith("_ci")
        return self.of_list(path, op.removesuffix("_ci"), value, {} if fold else {"case": "exact"})

    def of_numbers(self, key: str, rule: Rule) -> Rule:
        """One and the same number of the list for which several comparisons hold."""
        parts = rule.get("all", ())
        if not parts or any(
            part.get("op") not in SIZES or part["field"] != "item" for part in parts
        ):
            raise Refused("an entry is asked one thing at a time")
        self.declare(key, FieldType.RESULTS)
        where = {part["op"]: part["value"] for part in parts}
        return {"field": key, "op": "count_gte", "value": 1, "where": where}

    def of_list(self, key: str, op: str, value: Any, case: Rule) -> Rule:
        self.declare(key, FieldType.CHOICES)
        if op == "exists":
            known: Rule = {"field": key, "op": "exists"}
            return known if value else {"not": known}
        if op == "eq" and isinstance(value, list):
            whole = self.of_list(key, "array_has_all", value, case)
            return {"all": [whole, {"field": key, "op": "size_eq", "value": len(value)}]}
        ours = OF_LISTS.get(op) or OPERATORS.get(op)
        if ours is None:
            raise Refused(f"{op} is not asked of lists")
        values = [word(one) for one in value] if isinstance(value, list) else value
        return {"field": key, "op": ours, "value": values, **case}

    def scalar(self, key: str, op: str, value: Any, case: Rule) -> Rule:
        if op == "exists":
            self.fields.setdefault(key, _text(key))
            known: Rule = {"field": key, "op": "exists"}
            return known if value else {"not": known}
        if op in ("before_time_ago", "after_time_ago"):
            self.declare(key, FieldType.DATETIME)
            ago = {"ago": int(value[:-1]), "unit": UNITS[value[-1]]}
            return {"field": key, "op": op.removesuffix("_time_ago"), "value": ago}
        if op not in OPERATORS:
            raise Refused(f"{op} is not asked of one value")
        asked = {"field": key, "op": OPERATORS[op], "value": value}
        one = value[0] if isinstance(value, list) and value else value
        if op in ("before", "after"):
            self.declare(key, FieldType.DATETIME)
            return {**asked, "value": moment(value)}
        if op == "between" and isinstance(one, str):
            self.declare(key, FieldType.DATETIME)
            return {**asked, "value": [moment(each) for each in value]}
        if isinstance(one, bool) and op in ("eq", "ne", "in"):
            self.declare(key, FieldType.BOOLEAN)
            values = value if isinstance(value, list) else [value]
            parts = [{**asked, "op": "equals", "value": each} for each in values]
            return {"not": {"any": parts}} if op == "ne" else {"any": parts}
        if isinstance(one, int | float) and op != "regex":
            self.declare(key, FieldType.NUMBER)
            return asked
        self.declare(key, FieldType.TEXT)
        return {**asked, **case}

    def held(self) -> dict[str, Any]:
        """What would be stored: each value in the form of its field, or not at all."""
        found = {key: self.stored(key, field) for key, field in self.fields.items()}
        return building.facts_values(found, self.fields)

    def stored(self, key: str, field: Field) -> Any:
        value = self.value_at(key)
        if field.type is FieldType.CHOICES:
            words = [word(one) for one in value] if isinstance(value, list) else None
            return words or None
        if field.type is FieldType.RESULTS:
            return [{"system": "", "code": "", "value": one} for one in value or ()] or None
        return _stored(key, value, self.fields)


def sort_of(value: Any) -> type | None:
    """What kind of JSON value it is; None for nothing."""
    if isinstance(value, bool) or value is None:
        return None if value is None else bool
    return float if isinstance(value, int | float) else type(value)


def _text(key: str) -> Field:
    return Field(key=key, label=key, type=FieldType.TEXT, data_class=DataClass.DEMOGRAPHIC)


def _stored(key: str, value: Any, fields: dict[str, Field]) -> Any:
    if isinstance(value, dict):
        return "an object"
    if fields[key].type is FieldType.DATETIME and isinstance(value, int | float):
        value = moment(value)
    if fields[key].type is FieldType.DATETIME and isinstance(value, str):
        value = moment(value)
    try:
        return canonical(key, value, fields=fields)
    except ValueRefused:
        return None


def of_property(rule: Rule | list[Rule]) -> Any:
    """Conditions on the properties of an event."""
    if isinstance(rule, list):
        return [of_property(part) for part in rule]
    for join in ("all", "any", "not"):
        if join in rule:
            return {join: of_property(rule[join])}
    op = rule["op"]
    if op.startswith("not_"):
        return {"not": of_property({**rule, "op": op.removeprefix("not_")})}
    asked = {"property": rule["field"], "op": OPERATORS.get(op.removesuffix("_ci"), op)}
    if op == "exists":
        return asked if rule["value"] else {"not": asked}
    textual = isinstance(rule["value"], str) or (
        isinstance(rule["value"], list) and all(isinstance(v, str) for v in rule["value"])
    )
    exact = textual and not op.endswith("_ci") and op not in ("before", "after")
    return {**asked, "value": rule["value"], **({"case": "exact"} if exact else {})}


def of_size(key: str, rule: Rule) -> Rule:
    for join in ("all", "any"):
        if join in rule:
            return {join: [of_size(key, part) for part in rule[join]]}
    if "not" in rule:
        return {"not": of_size(key, rule["not"])}
    if rule["op"] == "ne":
        return {"not": of_size(key, {**rule, "op": "eq"})}
    if rule["op"] not in SIZES:
        raise Refused(f"{rule['op']} is not asked of sizes")
    op, more = SIZES[rule["op"]]
    return {"field": key, "op": op, "value": rule["value"] + more}


def word(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def moment(value: Any) -> Any:
    """A time as it is written here, where it can be told; a plain day is its first moment."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC).isoformat()
        if not isinstance(value, str) or value[10:11] not in ("", "T", " "):
            return value
        parsed = datetime.fromisoformat(value.replace(" +", "+"))
    except ValueError:
        return value
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()
