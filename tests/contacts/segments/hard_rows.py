"""Hard questions: what a person has and did, what is asked, and what docs/segments.md answers.

Values are given as an import would bring them; they are stored in their form first. Rows without a
`now` are asked at NOON, 2 March 2026 at 7 in the morning in New York, where Harbor Clinic is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.conftest import NOON

SNOMED = "http://snomed.info/sct"
REFUSED = "refused"
Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """`answer` is whether the person is in, or that the question is refused."""

    name: str
    asked: Any
    answer: bool | str
    held: Json = field(default_factory=dict)
    did: tuple[tuple[str, str, Json], ...] = ()
    """Kind, moment and properties of each event, in the order in which they were written."""
    now: datetime = NOON


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def city(value: str, op: str, asked: Any, answer: bool | str, **more: Any) -> Row:
    said = f"city {value!a:.40} {op} {asked!a:.40} of {len(str(asked))} {more}"
    return Row(said, {"field": "city", "op": op, "value": asked, **more}, answer, {"city": value})


def number(value: Any, op: str, asked: Any, answer: bool | str) -> Row:
    asks = {"field": "income", "op": op, "value": asked}
    return Row(f"number {value} {op} {asked}", asks, answer, {"income": value})


def decimal(value: Any, op: str, asked: Any, answer: bool | str) -> Row:
    asks = {"field": "custom_balance", "op": op, "value": asked}
    return Row(f"decimal {value} {op} {asked}", asks, answer, {"custom_balance": value})


def clock(value: str, op: str, asked: Any, answer: bool | str) -> Row:
    asks = {"field": "custom_calls", "op": op, "value": asked}
    return Row(f"time {value} {op} {asked}", asks, answer, {"custom_calls": value})


def born(day: str, op: str, asked: Any, answer: bool | str, now: str, **more: Any) -> Row:
    asks = {"field": "birth_date", "op": op, "value": asked, **more}
    held = {"birth_date": day}
    return Row(f"born {day} {op} {asked} at {now} {more}", asks, answer, held, now=at(now))


def seen(when: str, op: str, asked: Any, answer: bool | str, now: str = "", **more: Any) -> Row:
    asks = {"field": "last_visit", "op": op, "value": asked, **more}
    held = {"encounters": [{"system": SNOMED, "code": "1", "status": "finished", "at": when}]}
    return Row(
        f"seen {when} {op} {asked} at {now}", asks, answer, held, now=at(now) if now else NOON
    )


NOT_TALL = {"not": {"field": "income", "op": "gt", "value": 5}}
EMPTY: list[Row] = [
    Row("not over a missing number", NOT_TALL, True),
    Row("not over a number that holds", NOT_TALL, False, {"income": 6}),
    Row("not equals over nothing", {"field": "city", "op": "not_equals", "value": "a"}, True),
    Row("not in over nothing", {"not": {"field": "city", "op": "in", "value": ["a"]}}, True),
    Row("not not over nothing", {"not": {"not": {"field": "city", "op": "exists"}}}, False),
    Row(
        "not age over nothing", {"not": {"field": "birth_date", "op": "age_gte", "value": 0}}, True
    ),
    Row("zero exists", {"field": "income", "op": "exists"}, True, {"income": 0}),
    Row("no exists", {"field": "deceased", "op": "exists"}, True, {"deceased": False}),
    Row("no is not yes", {"field": "deceased", "op": "not_equals", "value": True}, True),
    Row("nothing is not no", {"field": "deceased", "op": "equals", "value": False}, False),
    Row(
        "a list of nothing but what was taken back does not exist",
        {"field": "conditions", "op": "exists"},
        False,
        {"conditions": [{"system": SNOMED, "code": "1", "status": "entered-in-error"}]},
    ),
    Row(
        "exactly one of two, one of them missing",
        {
            "exactly": 1,
            "of": [{"field": "city", "op": "exists"}, {"not": {"field": "state", "op": "exists"}}],
        },
        True,
    ),
    Row(
        "exactly none inside exactly one",
        {"exactly": 1, "of": [{"exactly": 0, "of": [{"everyone": True}]}, {"everyone": True}]},
        True,
    ),
    Row("exactly more than there are", {"exactly": 3, "of": [{"everyone": True}]}, False),
    Row("at most none of none", {"at_most": 0, "of": []}, REFUSED),
    Row("the same part twice counts twice", {"exactly": 2, "of": [{"everyone": True}] * 2}, True),
    Row("null in a question", {"field": "city", "op": "equals", "value": None}, REFUSED),
    Row("null in a list", {"field": "city", "op": "in", "value": ["a", None]}, REFUSED),
    Row("an empty text", {"field": "city", "op": "equals", "value": ""}, REFUSED),
    Row("a blank text", {"field": "city", "op": "contains", "value": "  "}, REFUSED),
    Row("half a surrogate pair", {"field": "city", "op": "contains", "value": "\ud800"}, REFUSED),
    Row("a zero byte", {"field": "city", "op": "contains", "value": "a\0"}, REFUSED),
]
WORDS: list[Row] = [
    city("Straße", "equals", "STRASSE", True),
    city("STRASSE", "equals", "straße", True),
    city("Straße", "equals", "Strasse", False, case="exact"),
    city("Straße", "contains", "S", True),
    city("Straße", "ends_with", "SE", True),
    city("Straße", "matches", "strasse", False),
    city("ΣΊΣΥΦΟΣ", "equals", "σίσυφος", True),
    city("İstanbul", "equals", "istanbul", False),
    city("İstanbul", "equals", "i\u0307stanbul", True),
    city("ISTANBUL", "equals", "ıstanbul", False),
    city("e\u0301ire", "equals", "ÉIRE", True),
    city("Éire", "equals", "E\u0301ire", True, case="exact"),
    city("Éire", "starts_with", "E", False),
    city("Éire", "matches", "^e\u0301", True),
    city("ﬁeld", "equals", "FIELD", True),
    city("Å", "equals", "\u212b", True, case="exact"),
    city("½", "equals", "1⁄2", False),
    city("Ｂoston", "equals", "Boston", False),
    city("  Boston ", "equals", "Boston", True, case="exact"),
    city("Boston", "equals", " Boston ", True, case="exact"),
    city("Boston", "in", ["Quincy", "boston "], True),
    city("East Boston", "contains", " ", REFUSED),
    city("East Boston", "contains", "t B", True, case="exact"),
    city("Boston", "starts_with", ["x", "BO"], True),
    city("02139", "starts_with", "021", True),
    city("02139", "equals", "2139", False),
    city("02139", "equals", 2139, REFUSED),
    city("1e3", "equals", "1000", False),
    city("true", "equals", True, REFUSED),
    city("null", "equals", "null", True),
    city("a%b", "contains", "%", True),
    city("a_b", "contains", "a.b", False),
    city("a\\b", "contains", "\\", True),
    city("a.b", "matches", "a\\.b", True),
    city("Boston", "matches", "^(bos|qui)", True),
    city("Boston", "matches", "^bos", False, case="exact"),
    city("Boston", "matches", "(?i)^bos", True, case="exact"),
    city("Boston", "matches", "(a+)+$", False),
    city("a" * 900, "matches", "(a+)+b", False),
    city("a" * 900, "matches", "(a|aa)+$", True),
    city("Boston", "matches", "(.{1000}){1000}", REFUSED),
    city("Boston", "matches", "(?=B)", REFUSED),
    city("Boston", "matches", "(o).*\\1", REFUSED),
    city("Boston", "matches", "[", REFUSED),
    city("Boston", "matches", "x" * 201, REFUSED),
    city("٣", "matches", "\\d", False),
    city("É", "matches", "^\\p{Lu}$", True, case="exact"),
    city("Boston", "in", ["Boston", "Boston"], True),
    city("Boston", "in", [], REFUSED),
    city("Boston", "in", "Boston", REFUSED),
    city("Boston", "equals", ["Boston"], REFUSED),
    city("z" * 1000, "equals", "z" * 1000, True),
    city("z" * 1000, "equals", "z" * 1001, REFUSED),
    city("Boston", "in", ["x"] * 1001, REFUSED),
]
NUMBERS: list[Row] = [
    number("010", "equals", 10, True),
    number(1, "equals", 1.0, True),
    number(-0.0, "equals", 0, True),
    number(0.1, "equals", 0.1, True),
    number(0.30000000000000004, "equals", 0.3, False),
    number(5, "between", [5, 5], True),
    number(5, "between", [6, 5], False),
    number(5, "between", [5], REFUSED),
    number(5, "gt", 5, False),
    number(5, "gte", 5, True),
    number(5, "lt", True, REFUSED),
    number(5, "gt", "4", REFUSED),
    number(5, "in", [1, 5, 5], True),
    number(5, "gt", float("inf"), REFUSED),
    number(5, "lt", 10**400, REFUSED),
    number(1e300, "gt", 1e299, True),
    decimal("0.3", "equals", 0.3, True),
    decimal("12.50", "equals", "12.5", True),
    decimal("12.50", "equals", "012.500", True),
    decimal("0.1", "lt", "0.10", False),
    decimal("-0.00", "equals", 0, True),
    decimal("999999999999.999", "equals", "999999999999.998", False),
    decimal("1", "equals", "1e0", REFUSED),
    decimal("1", "equals", "١", REFUSED),
    clock("23:30", "between", ["22:00", "06:00"], True),
    clock("06:00", "between", ["22:00", "06:00"], True),
    clock("06:01", "between", ["22:00", "06:00"], False),
    clock("00:00", "before", "00:00", False),
    clock("09:00", "equals", "9:00", REFUSED),
    clock("09:00", "equals", "24:00", REFUSED),
]
DAYS: list[Row] = [
    born("2000-02-29", "age_gte", 26, False, "2026-02-28T12:00-05:00"),
    born("2000-02-29", "age_gte", 26, True, "2026-03-01T00:00-05:00"),
    born("2000-02-29", "age_gte", 24, True, "2024-02-29T00:00-05:00"),
    born("2000-02-29", "anniversary_within", 0, False, "2026-02-28T12:00-05:00"),
    born("2000-02-29", "anniversary_within", 0, True, "2026-03-01T12:00-05:00"),
    born("2000-02-29", "anniversary_within", 0, False, "2024-03-01T12:00-05:00"),
    born("2000-02-29", "anniversary_within", 1, True, "2026-02-28T12:00-05:00"),
    born("2000-03-01", "anniversary_within", 0, True, "2026-03-01T12:00-05:00"),
    born("2000-01-03", "anniversary_within", 7, True, "2026-12-28T12:00-05:00"),
    born("2000-12-31", "anniversary_within", 0, True, "2027-01-01T04:59+00:00"),
    born("2000-02-29", "month_is", 2, True, "2026-03-01T12:00-05:00"),
    born("2000-02-29", "month_is", [3], False, "2026-03-01T12:00-05:00"),
    born("2000-06-15", "age_gte", 26, False, "2026-06-15T03:59+00:00"),
    born("2000-06-15", "age_gte", 26, True, "2026-06-15T04:00+00:00"),
    born("2000-06-15", "age_lt", 0, True, "2000-06-14T12:00+00:00"),
    born("2000-06-15", "age_between", [25, 25], True, "2026-03-01T12:00+00:00"),
    born("2000-06-15", "age_gte", 18, True, "2026-03-01T12:00+00:00", on="2018-06-15"),
    born("2000-06-15", "age_gte", 18, False, "2026-03-01T12:00+00:00", on="2018-06-14"),
    born("2026-02-28", "on_or_after", {"ago": 1, "unit": "months"}, True, "2026-03-31T12:00-04:00"),
    born(
        "2026-02-27", "on_or_after", {"ago": 1, "unit": "months"}, False, "2026-03-31T12:00-04:00"
    ),
    born("2024-02-29", "within_last", 1, True, "2025-02-28T12:00-05:00", unit="years"),
    born("2024-02-28", "within_last", 1, True, "2025-02-28T12:00-05:00", unit="years"),
    born("2024-02-27", "within_last", 1, False, "2025-02-28T12:00-05:00", unit="years"),
    born("2026-02-01", "during", "last_month", True, "2026-03-31T23:59-04:00"),
    born("2026-02-28", "during", "last_month", True, "2026-04-01T00:30+00:00"),
    born("2026-02-28", "during", "last_month", False, "2026-04-01T04:00+00:00"),
    born("2025-12-29", "during", "this_week", True, "2026-01-04T12:00-05:00"),
    born("2026-03-02", "within_last", 0, True, "2026-03-02T12:00-05:00", unit="days"),
    born("2026-03-03", "within_last", 1, False, "2026-03-02T12:00-05:00", unit="days"),
    born("2026-03-02", "within_last", 1, REFUSED, "2026-03-02T12:00-05:00", unit="hours"),
    born("2026-03-02", "equals", "2026-02-30", REFUSED, "2026-03-02T12:00-05:00"),
    born("2026-03-02", "equals", "2026-W10-1", REFUSED, "2026-03-02T12:00-05:00"),
    born("2026-03-02", "equals", "3/2/2026", REFUSED, "2026-03-02T12:00-05:00"),
    born("2026-03-02", "before", "2026-03-02T12:00:00Z", REFUSED, "2026-03-02T12:00-05:00"),
    born("2026-03-02", "between", ["2026-03-02", "2026-03-02"], True, "2026-03-02T12:00-05:00"),
    born("2026-03-02", "month_is", 13, REFUSED, "2026-03-02T12:00-05:00"),
    seen("2026-03-02T04:59:59Z", "before", "2026-03-02", True),
    seen("2026-03-02T05:00:00Z", "before", "2026-03-02", False),
    seen("2026-03-02T05:00:00Z", "on_or_after", "2026-03-02", True),
    seen("2026-03-02T05:00:00Z", "after", "2026-03-01", True),
    seen("2026-03-02T04:59:59Z", "after", "2026-03-01", False),
    seen("2026-03-02T12:00:00Z", "equals", "2026-03-02", REFUSED),
    seen("2026-03-01T12:00:00Z", "after", "2026-03-01T07:00:00-05:00", False),
    seen("2026-03-01T12:00:00Z", "on_or_after", "2026-03-01T07:00:00-05:00", True),
    seen("2026-03-01T12:00:00Z", "after", "2026-03-01T07:00:00", REFUSED),
    seen("2026-03-01T12:00:00Z", "after", "2026-03-01X07:00:00Z", REFUSED),
    seen("2026-03-01T12:00:00Z", "within_last", 1, True, unit="days"),
    seen("2026-03-01T11:59:59Z", "within_last", 1, False, unit="days"),
    seen("2026-03-01T12:00:00Z", "older_than", 1, False, unit="days"),
    seen("2026-03-01T11:59:59Z", "older_than", 1, True, unit="days"),
    # Clocks go forward on 8 March 2026 at 2: a day is 23 hours there, by the wall.
    seen("2026-03-07T17:00:00Z", "within_last", 1, True, "2026-03-08T16:00:00Z", unit="days"),
    seen("2026-03-07T16:59:59Z", "within_last", 1, False, "2026-03-08T16:00:00Z", unit="days"),
    seen("2026-03-07T16:00:00Z", "within_last", 24, True, "2026-03-08T16:00:00Z", unit="hours"),
    seen("2026-03-08T06:59:59Z", "during", "today", True, "2026-03-09T03:59:00Z"),
    seen("2026-03-09T04:00:00Z", "during", "today", False, "2026-03-09T03:59:00Z"),
    # And back on 1 November 2026 at 2: the hour from 1 to 2 comes twice.
    seen("2026-11-01T05:30:00Z", "within_last", 1, True, "2026-11-01T06:30:00Z", unit="hours"),
    seen("2026-11-01T05:29:59Z", "within_last", 1, False, "2026-11-01T06:30:00Z", unit="hours"),
    seen("2026-11-01T04:30:00Z", "during", "today", True, "2026-11-02T04:30:00Z"),
]
ROWS: list[Row] = [*EMPTY, *WORDS, *NUMBERS, *DAYS]
