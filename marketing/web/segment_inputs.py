"""The controls of a condition in the builder, and what each type of field may be asked.

An input's `name` is the key that it writes; `aggregate.fn` is a key of an object, and `window` and
`times` stand for a family of keys. `more` puts it behind "More". An operator is offered when
`field_clauses.OPERATORS` has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from contacts import codes
from contacts.fields import Field
from contacts.segments import field_clauses
from contacts.segments.moments import PERIODS

Json = dict[str, Any]
Options = list[list[Any]]

UNITS: Final[Options] = [[unit, unit] for unit in ("days", "weeks", "months", "years")]
TIMED_UNITS: Final[Options] = [["hours", "hours"], *UNITS]
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
CALENDAR: Final[Options] = [[name, name.replace("_", " ")] for name in PERIODS]
CLASSES: Final[Options] = [
    ["AMB", "ambulatory"],
    ["EMER", "emergency"],
    ["IMP", "inpatient"],
    ["VR", "virtual"],
    ["HH", "home"],
]
SYSTEMS: Final[Options] = [
    [codes.SNOMED, "SNOMED CT"],
    [codes.ICD10, "ICD-10-CM"],
    [codes.LOINC, "LOINC"],
    [codes.RXNORM, "RxNorm"],
    [codes.CVX, "CVX"],
    [codes.CPT, "CPT"],
]


def op(name: str, label: str, *inputs: Json, **more: Any) -> Json:
    return {"op": name, "label": label, "inputs": list(inputs), **more}


def entry(name: str, label: str, type_: str, *, optional: bool = False, **more: Any) -> Json:
    return {"name": name, "label": label, "type": type_, "optional": optional, **more}


def choice(name: str, label: str, options: Options, **more: Any) -> Json:
    return entry(name, label, more.pop("type", "choice"), options=options, **more)


def part(name: str, label: str, *, of: str, none: str, **more: Any) -> Json:
    """One of the parts of what another control names: asked for when that is chosen."""
    return entry(name, label, "part", of=of, none=none, **more)


def window(*, hours: bool, more: bool = False) -> Json:
    return entry("window", "When", "window", optional=True, hours=hours, more=more)


def operators_of(field: Field, groups: Options) -> list[Json]:
    """Everything that may be asked of a field. `groups` are the code groups there are."""
    known = field_clauses.OPERATORS.get(field.type, {})
    if field.type.name in ("CODES", "RESULTS", "OCCURRENCES", "CODED"):
        offered = _LISTS[field.type.name](field, groups)
    else:
        offered = _PLAIN[field.type.name](field)
    return [one for one in offered if one["op"] in known]


_KNOWN: Final = op("exists", "is known")
_CASE: Final = choice(
    "case",
    "Case",
    [["exact", "to the letter"], ["fold", "either"]],
    optional=True,
    none="either",
    more=True,
)


def _text(field: Field) -> list[Json]:
    one = entry("value", "Text", "text")
    several = entry("value", "Texts", "texts", hint="Enter after each")
    pattern = entry("value", "Pattern", "text", placeholder="^02[0-9]+")
    return [
        op("equals", "is", one, _CASE),
        op("not_equals", "is not", one, _CASE),
        op("in", "is one of", several, _CASE),
        op("starts_with", "starts with", several, _CASE),
        op("ends_with", "ends with", several, _CASE),
        op("contains", "contains", several, _CASE),
        op("matches", "fits the pattern", pattern, _CASE),
        _KNOWN,
    ]


def _choices_of(field: Field) -> Options:
    return [[one, one.replace("_", " ")] for one in field.choices]


def _choice(field: Field) -> list[Json]:
    one = choice("value", "Value", _choices_of(field))
    several = choice("value", "Values", _choices_of(field), type="choices")
    if field.by_rules:  # rules give everybody exactly one value: no case, none unknown
        return [
            op("equals", "is", one),
            op("not_equals", "is not", one),
            op("in", "is one of", several),
        ]
    return [
        op("equals", "is", one, _CASE),
        op("not_equals", "is not", one, _CASE),
        op("in", "is one of", several, _CASE),
        _KNOWN,
    ]


def _several_choices(field: Field) -> list[Json]:
    several = choice("value", "Values", _choices_of(field), type="choices")
    return [
        op("has_any", "has any of", several),
        op("has_all", "has all of", several),
        op("has_none", "has none of", several),
        *_sizes(),
        *_text(field)[3:7],
        _KNOWN,
    ]


def _sizes() -> list[Json]:
    number = entry("value", "How many", "whole", default=1)
    return [
        op("size_eq", "has exactly so many", number),
        op("size_gte", "has at least so many", number),
        op("size_lte", "has at most so many", number),
        op("size_between", "has between", entry("value", "How many", "pair", of="whole")),
    ]


def _boolean(field: Field) -> list[Json]:
    value = entry("value", "Value", "boolean", options=[[True, "yes"], [False, "no"]])
    return [op("equals", "is", value), op("not_equals", "is not", value), _KNOWN]


def _number(field: Field) -> list[Json]:
    number = entry("value", "Number", "number")
    return [
        op("equals", "is", number),
        op("not_equals", "is not", number),
        op("in", "is one of", entry("value", "Numbers, with commas between", "numbers")),
        op("gte", "is at least", number),
        op("gt", "is more than", number),
        op("lte", "is at most", number),
        op("lt", "is less than", number),
        op("between", "is between", entry("value", "Range", "pair", of="number")),
        _KNOWN,
    ]


def _time(field: Field) -> list[Json]:
    at = entry("value", "Time", "text", placeholder="14:30")
    return [
        op("equals", "is", at),
        op("before", "is before", at),
        op("on_or_before", "is at or before", at),
        op("after", "is after", at),
        op("on_or_after", "is at or after", at),
        op("gte", "is at or after", at),
        op("lt", "is before", at),
        op("between", "is between", entry("value", "From and to", "texts")),
        _KNOWN,
    ]


def _moments(field: Field, *, hours: bool) -> list[Json]:
    point = entry("value", "When", "point", hours=hours)
    units = TIMED_UNITS if hours else UNITS
    unit = choice("unit", "Unit", units, default="days")
    span = (entry("value", "How many", "whole"), unit)
    return [
        op("within_last", "is within the last", *span),
        op("older_than", "is more than … ago", *span),
        op("within_next", "is within the next", *span),
        op("during", "is in the period", choice("value", "Period", CALENDAR)),
        op("before", "is before", point),
        op("on_or_before", "is on or before", point),
        op("after", "is after", point),
        op("on_or_after", "is on or after", point),
        op("between", "is between", entry("value", "Between", "pair", of="point", hours=hours)),
        _KNOWN,
    ]


def _moment(field: Field) -> list[Json]:
    return _moments(field, hours=True)


def _date(field: Field) -> list[Json]:
    months: Options = [[number, name] for number, name in enumerate(MONTHS, 1)]
    day = entry("value", "Day", "date")
    made = [
        *_moments(field, hours=False),
        op("equals", "is the day", day),
        op("in", "is one of the days", entry("value", "Days", "texts")),
        op("month_is", "falls in", choice("value", "Months", months, type="choices")),
        op(
            "anniversary_within",
            "has its anniversary within the next days",
            entry("value", "Days", "whole"),
        ),
    ]
    return [*_age(), *made] if field.key == "birth_date" else [*made, *_age("years since")]


def _age(what: str = "age") -> list[Json]:
    years = entry("value", "Years", "whole")
    on = entry("on", "On this day (empty: today)", "date", optional=True, more=True)
    pair = entry("value", "Years", "pair", of="whole")
    return [
        op("age_gte", f"{what}: at least", years, on),
        op("age_lt", f"{what}: below", years, on),
        op("age_between", f"{what}: between", pair, on),
        op("age_gt", f"{what}: more than", years, on),
        op("age_lte", f"{what}: at most", years, on),
    ]


def _which(groups: Options) -> list[Json]:
    made = [entry("codes", "Codes", "codes", optional=True, aliases=["code"])]
    if groups:
        made.append(
            choice("group", "Code groups", groups, type="choices", optional=True, more=True)
        )
    return made


def _rest(field: Field, groups: Options, *, hours: bool) -> list[Json]:
    found = [
        entry("text", "Text contains", "texts", optional=True, more=True),
        entry("status", "Status", "texts", optional=True, more=True, hint="active"),
        choice("system", "Code system", SYSTEMS, optional=True, none="any", more=True),
    ]
    if field.type.name == "OCCURRENCES":
        found.append(choice("class", "Class", CLASSES, type="choices", optional=True, more=True))
    if field.type.name == "RESULTS":
        found.append(entry("unit", "Unit", "text", optional=True, more=True))
        found += [
            entry(side, f"Value {words}", "number", optional=True, more=True)
            for side, words in _SIDES
        ]
    return [*found, window(hours=hours)]


_SIDES: Final = (
    ("gte", "at least"), ("gt", "more than"), ("lte", "at most"), ("lt", "less than"),
)  # fmt: skip


def _entries(field: Field, groups: Options, *, hours: bool) -> list[Json]:
    asked = (*_which(groups), *_rest(field, groups, hours=hours))
    number = entry("value", "How many", "whole", default=1)
    return [
        op("has_code", "include", *asked),
        op("count_gte", "number at least", number, *asked),
        op("count_lte", "number at most", number, *asked),
        op("count_eq", "number exactly", number, *asked),
        op(
            "count_between",
            "number between",
            entry("value", "How many", "pair", of="whole"),
            *asked,
        ),
        op("has_all", "include each of", *asked),
        op("has_none", "include none of", *asked),
        op("has_any", "include any of", *asked),
        op("exists", "include anything"),
    ]


def _codes(field: Field, groups: Options) -> list[Json]:
    return [*_entries(field, groups, hours=False), *_sizes()]


def _results(field: Field, groups: Options) -> list[Json]:
    asked = (*_which(groups), *_rest(field, groups, hours=True))
    number = entry("value", "Value", "number")
    latest = [
        op("latest_gte", "latest is at least", asked[0], number, *asked[1:]),
        op("latest_gt", "latest is more than", asked[0], number, *asked[1:]),
        op("latest_lt", "latest is below", asked[0], number, *asked[1:]),
        op("latest_lte", "latest is at most", asked[0], number, *asked[1:]),
        op("latest_equals", "latest is exactly", asked[0], number, *asked[1:]),
        op(
            "latest_between",
            "latest is between",
            asked[0],
            entry("value", "Value", "pair", of="number"),
            *asked[1:],
        ),
        op("latest_is", "latest says", asked[0], entry("value", "Answers", "texts"), *asked[1:]),
    ]
    return [*latest, *_entries(field, groups, hours=True)]


def _occurrences(field: Field, groups: Options) -> list[Json]:
    found = _entries(field, groups, hours=True)
    return [*found[1:4], found[0], *found[4:], *_sizes()]


def _coded(field: Field, groups: Options) -> list[Json]:
    asked = (
        *_which(groups),
        entry("text", "Text contains", "texts", optional=True, more=True),
        choice("system", "Code system", SYSTEMS, optional=True, none="any", more=True),
    )
    return [
        op("has_code", "is", *asked),
        op("has_none", "is none of", *asked),
        op("has_any", "is any of", *asked),
        _KNOWN,
    ]


_PLAIN: Final[dict[str, Callable[[Field], list[Json]]]] = {
    "TEXT": _text,
    "CHOICE": _choice,
    "CHOICES": _several_choices,
    "BOOLEAN": _boolean,
    "NUMBER": _number,
    "DECIMAL": _number,
    "DATE": _date,
    "DATETIME": _moment,
    "TIME": _time,
}
_LISTS: Final[dict[str, Callable[[Field, Options], list[Json]]]] = {
    "CODES": _codes,
    "RESULTS": _results,
    "OCCURRENCES": _occurrences,
    "CODED": _coded,
}
