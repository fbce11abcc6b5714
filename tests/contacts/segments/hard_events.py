"""Hard questions about lists of entries and about events, of the kind of `hard_rows`."""

from __future__ import annotations

from typing import Any

from tests.conftest import NOON
from tests.contacts.segments import hard_rows
from tests.contacts.segments.hard_rows import REFUSED, SNOMED, Json, Row, at

LOINC = "http://loinc.org"


def result(held: list[Json], answer: bool | str, **asked: Any) -> Row:
    results = [{"system": LOINC, "code": "A1C", **one} for one in held]
    asks = {"field": "results", "code": "A1C", **asked}
    return Row(f"results {held} {asked}", asks, answer, {"results": results})


def ill(held: list[Json], answer: bool | str, **asked: Any) -> Row:
    conditions = [{"system": SNOMED, "status": "active", **one} for one in held]
    return Row(
        f"ill {held} {asked}", {"field": "conditions", **asked}, answer, {"conditions": conditions}
    )


def colours(held: list[str], answer: bool | str, **asked: Any) -> Row:
    asks = {"field": "custom_colours", **asked}
    return Row(f"colours {held} {asked}", asks, answer, {"custom_colours": held} if held else {})


def did(*events: tuple[str, str, Json], answer: bool | str, now: str = "", **asked: Any) -> Row:
    when = at(now) if now else NOON
    return Row(
        f"did {events} {asked} at {now}", {"event": "x.y", **asked}, answer, did=events, now=when
    )


def carried(properties: Json, answer: bool | str, *where: Json | Any) -> Row:
    return did(("x.y", "2026-03-01T00:00:00Z", properties), answer=answer, where=list(where))


def of(name: str, op: str, value: Any = None, **more: Any) -> Json:
    return {"property": name, "op": op, **({} if value is None else {"value": value}), **more}


def spent(amounts: list[Any], fn: str, op: str, value: Any, answer: bool | str) -> Row:
    events = tuple(("x.y", f"2026-03-01T00:00:{n:02}Z", one) for n, one in enumerate(amounts))
    aggregate = {"property": "amount", "fn": fn}
    return did(*events, answer=answer, aggregate=aggregate, op=op, value=value)


NEW, OLD = "2026-03-01T10:00:00Z", "2025-03-01T10:00:00Z"
ENTRIES: list[Row] = [
    result([{"value": 10, "at": NEW}, {"value": 8, "at": NEW}], False, op="latest_gt", value=9),
    result([{"value": 8, "at": NEW}, {"value": 10, "at": NEW}], True, op="latest_gt", value=9),
    result([{"value": 10, "at": NEW}, {"value": 8, "at": OLD}], True, op="latest_gt", value=9),
    result([{"value": 10}, {"value": 8, "at": OLD}], False, op="latest_gt", value=9),
    result([{"value": 8}, {"value": 10}], True, op="latest_gt", value=9),
    result(
        [{"value": 10, "at": OLD}, {"value": "high", "at": NEW}], False, op="latest_gt", value=9
    ),
    result(
        [{"value": 10, "at": OLD}, {"value": "high", "at": NEW}], True, op="latest_is", value="HIGH"
    ),
    result([{"value": 10, "at": OLD}], False, op="latest_gt", value=9, within_months=6),
    result([{"value": 10, "at": NEW}, {"value": 8, "at": OLD}], False, op="latest_lt", value=9),
    result(
        [{"value": 90, "unit": "mg/dL", "at": OLD}, {"value": 5, "unit": "mmol/L", "at": NEW}],
        False,
        op="latest_gt",
        value=80,
        unit="mg/dL",
    ),
    result(
        [{"value": 5, "unit": "mmol/L", "at": NEW}], False, op="latest_gt", value=80, unit="mg/dL"
    ),
    result(
        [{"value": 90, "unit": "mg/dl", "at": NEW}], False, op="latest_gt", value=80, unit="mg/dL"
    ),
    result(
        [{"value": 90, "unit": "\u00b5g/L", "at": NEW}],
        True,
        op="latest_gt",
        value=80,
        unit="\u03bcg/L",
    ),
    result([{"value": 9, "at": NEW}], True, op="latest_between", value=[9, 9]),
    result([{"value": 9, "at": NEW}], True, op="latest_equals", value=9.0),
    result([], False, op="latest_lt", value=9),
    result([], True, op="count_eq", value=0),
    result([{"value": 9}], True, op="count_eq", value=0, within_days=30),
    result([{"value": 9, "at": NEW}, {"value": 9, "at": OLD}], True, op="count_eq", value=1),
    result(
        [{"value": 9, "at": NEW}, {"value": 10, "at": OLD}], False, op="count_gte", value=1, gt=9
    ),
    result(
        [{"value": 90, "unit": "mg/dL", "at": OLD}, {"value": 5, "code": "B", "at": NEW}],
        True,
        op="latest_gt",
        value=80,
        unit="mg/dL",
        codes=["B"],
    ),
    result(
        [{"value": 90, "at": OLD}, {"value": 5, "code": "B", "at": NEW}],
        False,
        op="latest_gt",
        value=80,
        codes=["B"],
    ),
    result(
        [{"value": 90, "at": NEW}, {"value": 5, "code": "B", "at": NEW}],
        False,
        op="latest_gt",
        value=80,
        codes=["B"],
    ),
    result([{"value": "high", "at": NEW}], False, op="count_gte", value=1, gt=0),
    result([{"value": 9, "at": NEW}], False, op="count_gte", value=1, gt=9),
    result([{"value": 9, "at": NEW}], REFUSED, op="count_gte", value=1, gt=9, gte=9),
    Row("latest of no code", {"field": "results", "op": "latest_gt", "value": 9}, REFUSED),
    ill([{"code": "E11.9"}], False, op="has_code", codes=["E119"]),
    ill([{"code": "044"}], False, op="has_code", codes=["44"]),
    ill([{"code": "E11"}], False, op="has_code", codes=["e11"]),
    ill([{"code": "1"}], True, op="has_code", codes=["1", "1"]),
    ill([{"code": "1"}], False, op="has_code", code="1", system=LOINC),
    ill([{"code": "1"}, {"code": "2"}], True, op="has_all", codes=["1", "2"]),
    ill([{"code": "1"}], False, op="has_all", codes=["1", "2"]),
    ill([{"code": "1"}], True, op="has_all", codes=["1", "1"]),
    ill([], True, op="has_none", codes=["1"]),
    ill([{"code": "1", "status": "refuted"}], True, op="has_none", codes=["1"]),
    ill([{"code": "1", "status": "refuted"}], True, op="has_code", codes=["1"], status="refuted"),
    ill(
        [{"code": "1", "date": "2026-02-28"}], True, op="has_code", codes=["1"], since="2026-02-28"
    ),
    ill(
        [{"code": "1", "date": "2026-02-28"}],
        False,
        op="has_code",
        codes=["1"],
        before="2026-02-28",
    ),
    ill([{"code": "1"}], False, op="has_code", codes=["1"], since="1900-01-01"),
    ill([{"code": "1", "display": "Straße"}], True, op="has_code", text="STRASSE"),
    ill([{"code": "1"}], REFUSED, op="has_code"),
    colours(["Red", "Red"], True, op="size_eq", value=1),
    colours([], True, op="size_eq", value=0),
    colours([], True, op="has_none", value=["Red"]),
    colours(["Red"], True, op="has_all", value=["Red", "Red"]),
    colours(["Red"], False, op="has_all", value=["Red", "Blue"]),
    colours(["Red"], REFUSED, op="has_any", value=["red"]),
    colours(["Red"], REFUSED, op="has_any", value=[]),
]
ONE: tuple[str, str, Json] = ("x.y", "2026-03-01T12:00:00Z", {})
EVENTS: list[Row] = [
    did(answer=False),
    did(answer=True, times={"exactly": 0}),
    did(ONE, answer=False, times={"exactly": 0}),
    did(ONE, answer=True, times={"exactly": 0}, within_hours=23),
    did(ONE, answer=False, times={"exactly": 0}, within_hours=24),
    did(ONE, answer=True, times={"at_least": 0}),
    did(ONE, ONE, answer=True, times={"exactly": 2}),
    did(ONE, answer=REFUSED, times={"exactly": -1}),
    did(ONE, answer=REFUSED, times={"at_least": 1, "at_most": 2}),
    did(ONE, answer=True, since="2026-03-01T12:00:00Z"),
    did(ONE, answer=False, before="2026-03-01T12:00:00Z"),
    did(ONE, answer=True, since="2026-03-01", before="2026-03-02"),
    did(ONE, answer=False, since="2026-03-02", before="2026-03-01"),
    did(("x.z", "2026-03-01T12:00:00Z", {}), answer=False),
    did(("x.z", "2026-03-01T12:00:00Z", {}), answer=True, event="x.*"),
    did(("xx.z", "2026-03-01T12:00:00Z", {}), answer=False, event="x.*"),
    did(
        ("x.z", NEW, {"n": 1}),
        ("x.y", NEW, {"n": 2}),
        answer=True,
        event="x.*",
        which="last",
        where=[of("n", "equals", 2)],
    ),
    did(
        ("x.y", NEW, {"n": 1}),
        ("x.y", NEW, {"n": 2}),
        answer=True,
        which="first",
        where=[of("n", "equals", 1)],
    ),
    did(
        ("x.y", NEW, {"n": 1}),
        ("x.y", OLD, {"n": 2}),
        answer=True,
        which="last",
        where=[of("n", "equals", 1)],
    ),
    did(
        ("x.y", NEW, {}),
        ("x.y", OLD, {"n": 2}),
        answer=True,
        which="last",
        of=[of("n", "exists")],
        where=[of("n", "equals", 2)],
    ),
    did(answer=False, which="last"),
    did(ONE, answer=True, where=[{"not": of("n", "exists")}]),
    did(ONE, answer=False, where=[of("n", "not_equals", 5)], times={"exactly": 0}),
    carried({"n": None}, False, of("n", "exists")),
    carried({"n": ""}, False, of("n", "exists")),
    carried({"n": " "}, False, of("n", "exists")),
    carried({"n": " a "}, True, of("n", "equals", "a")),
    carried({"n": " a "}, True, of("n", "in", [" a", "b"])),
    carried({"n": []}, False, of("n", "exists")),
    carried({"n": 0}, True, of("n", "exists")),
    carried({"n": False}, True, of("n", "exists")),
    carried({"n": "5"}, False, of("n", "equals", 5)),
    carried({"n": 5}, False, of("n", "equals", "5")),
    carried({"n": True}, False, of("n", "equals", 1)),
    carried({"n": 1}, False, of("n", "equals", True)),
    carried({"n": 5.0}, True, of("n", "equals", 5)),
    carried({"n": "5"}, False, of("n", "gt", 4)),
    carried({"n": None}, True, {"not": of("n", "gt", 4)}),
    carried({"n": [1, 9]}, True, of("n", "gt", 8)),
    carried({"n": [1, 9]}, True, of("n", "lt", 2), of("n", "gt", 8)),
    carried({"n": ["a", "a"]}, True, of("n", "size_eq", 2)),
    carried({"n": ["a", None, ""]}, True, of("n", "size_eq", 1)),
    carried({"n": [["a"], ["b"]]}, True, of("n", "has_all", ["a", "b"])),
    carried({"n": [5, True]}, True, of("n", "has_all", ["5", "true"], case="exact")),
    carried({"a": {"b": 1}}, True, of("a.b", "equals", 1)),
    carried({"a.b": 1, "a": {"b": 2}}, True, of("a.b", "equals", 1)),
    carried({"a": [{"b": 1}, {"b": 2}]}, True, of("a.b", "equals", 2)),
    carried({"n": "Stra\u00dfe"}, True, of("n", "equals", "STRASSE")),
    carried({"n": "e\u0301"}, True, of("n", "equals", "é", case="exact")),
    carried({"n": "x" * 8_000 + "b"}, True, of("n", "ends_with", "b")),
    carried({"n": "a" * 8_000}, False, of("n", "matches", "(a+)+b")),
    carried({"at": "2026-02-30"}, False, of("at", "after", "2000-01-01")),
    carried({"at": "2026-03-01"}, False, of("at", "before", "2026-03-01")),
    carried({"at": "2026-03-01T00:00:00"}, True, of("at", "before", "2026-03-01")),
    carried({"at": 1772323200}, False, of("at", "after", "2000-01-01")),
    carried({"at": "2026-01-15"}, True, of("at", "between", ["2026-01-01", "2026-02-01"])),
    carried({"at": "2026-03-15"}, False, of("at", "between", ["2026-01-01", "2026-02-01"])),
    carried({"at": "b"}, REFUSED, of("at", "between", ["a", "c"])),
    carried({"at": "2026-W01-1"}, False, of("at", "after", "2000-01-01")),
    carried({"at": "soon"}, True, {"not": of("at", "after", "2000-01-01")}),
    spent([{"amount": 0.1}, {"amount": 0.2}], "sum", "lte", 0.3, True),
    spent([{"amount": 0.1}, {"amount": 0.2}, {"amount": 0.3}], "avg", "gte", 0.2, True),
    spent([{"amount": 5}, {}], "avg", "gte", 5, True),
    spent(
        [{"amount": 5}, {"amount": "5"}, {"amount": True}, {"amount": None}], "sum", "lte", 5, True
    ),
    spent([{"amount": [5, 6]}], "sum", "gte", 11, True),
    spent([], "sum", "lte", 10, False),
    spent([{}], "sum", "lte", 10, False),
    spent([{}], "min", "lte", 10, False),
    spent([{}], "count_distinct", "lte", 0, True),
    spent(
        [{"amount": 1}, {"amount": 1.0}, {"amount": "1"}], "count_distinct", "between", [2, 2], True
    ),
    spent([{"amount": -0.0}, {"amount": 0}], "count_distinct", "lte", 1, True),
    spent(
        [{"amount": 9007199254740993}, {"amount": 9007199254740992}],
        "count_distinct",
        "gte",
        2,
        True,
    ),
    spent([{"amount": 1e308}, {"amount": 1e308}], "sum", "gt", 1, True),
    spent([{"amount": -5}], "max", "lt", 0, True),
    did(ONE, answer=REFUSED, aggregate={"property": "amount", "fn": "median"}, op="gt", value=1),
]
ROWS: list[Row] = [*hard_rows.ROWS, *ENTRIES, *EVENTS]
