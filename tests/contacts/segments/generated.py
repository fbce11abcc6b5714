"""People and definitions that Hypothesis makes: small worlds, so that values often meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

import contacts.fields
from contacts.fields import DataClass, Field, FieldType
from contacts.segments import references
from contacts.segments.definition import Definition, parse
from contacts.segments.facts import Happening
from contacts.segments.moments import PERIODS

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")
SYSTEMS = ("http://snomed.info/sct", "http://loinc.org")
CODES = ("1", "2", "3", "4")
WORDS = (
    "Boston",
    "boston",
    "BOSTON East",
    "Straße",
    "STRASSE",
    "Éire",
    "e\u0301ire",
    "02139",
    "021",
)
STATUSES = ("active", "resolved", "finished", "planned", "entered-in-error")
KINDS = ("AMB", "EMER")
EXACT = ("seconds", "minutes", "hours")
UNITS = (*EXACT, "days", "weeks", "months", "years")
PATTERNS = ("^bos", "(east|021)$", "[0-9]{3}", "\\bB", "s+", "é|É", "^$", ".")
COLOURS = ("Red", "Green", "Blue")
GROUPS = {
    UUID(int=21): frozenset({("http://snomed.info/sct", "1"), ("http://loinc.org", "2")}),
    UUID(int=22): frozenset({("http://loinc.org", "3")}),
}
FIELDS = {
    **contacts.fields.FIELDS,
    **{
        key: Field(
            key=key,
            label=key.removeprefix("custom_").title(),
            type=type_,
            data_class=DataClass.DEMOGRAPHIC,
            custom=True,
            choices=COLOURS if type_ is FieldType.CHOICES else (),
        )
        for key, type_ in {
            "custom_balance": FieldType.DECIMAL,
            "custom_height": FieldType.NUMBER,
            "custom_calls": FieldType.TIME,
            "custom_colours": FieldType.CHOICES,
            "custom_ward": FieldType.CODED,
        }.items()
    },
}
"""The standard fields and one of each type that only organisations add."""
CALENDAR = ("days", "weeks", "months", "years")
EVENTS = ("message.clicked", "message.opened")
EVENT_KINDS = (*EVENTS, "messagexclicked", "form.submitted", "form_submitted")
"""What happens; `_` is a wildcard to LIKE."""
EVENTS_ASKED = (*EVENTS, "form.submitted", "message.*", "message.c*", "form_*", "fo*")
CAMPAIGNS = (UUID(int=1), UUID(int=2))
LISTS = (UUID(int=11), UUID(int=12))
DAY = date(2024, 2, 29)
MOMENT = datetime(2024, 3, 10, 7, 30, 0, tzinfo=UTC)

days = st.builds(lambda n: DAY + timedelta(days=n), st.integers(-800, 800)) | st.sampled_from(
    [DAY, date(1950, 3, 1), date(1952, 2, 29), date(2030, 1, 1)]
)
moments = st.builds(
    lambda n: MOMENT + timedelta(seconds=n), st.integers(-5_000_000, 5_000_000)
) | st.sampled_from([MOMENT, MOMENT + timedelta(seconds=1), MOMENT - timedelta(days=30)])
nows = st.builds(
    lambda zone, micro, shift: (MOMENT + timedelta(microseconds=micro, days=shift)).astimezone(
        ZoneInfo(zone)
    ),
    st.sampled_from(ZONES),
    st.sampled_from([0, 1, 999_999]),
    st.integers(-40, 40),
)


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


coding = st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES))


@st.composite
def items(draw: st.DrawFn, kind: FieldType) -> dict[str, Any]:
    system, code = draw(coding)
    item: dict[str, Any] = {
        "system": system,
        "code": code,
        "display": draw(st.sampled_from(["", *WORDS])),
        "status": draw(st.sampled_from(STATUSES)),
    }
    if draw(st.booleans()):
        item["also"] = [list(draw(coding))]
    if draw(st.booleans()):
        if kind is FieldType.CODES:
            item["date"] = draw(days).isoformat()
        else:
            item["at"] = _zulu(draw(moments))
    if kind is FieldType.OCCURRENCES and draw(st.booleans()):
        item["class"] = draw(st.sampled_from(KINDS))
    if kind is FieldType.RESULTS:
        del item["status"]
        item["value"] = draw(st.sampled_from([5, 6.5, 6.499, 7.1, 0.1, "Positive", "negative"]))
        item["unit"] = draw(st.sampled_from(["%", "mg"]))
    return item


_SCALARS = {
    FieldType.TEXT: st.sampled_from((*WORDS[:6], "02139", "021")),
    FieldType.CHOICE: st.sampled_from(["female", "male", "other"]),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: days.map(date.isoformat),
    FieldType.DATETIME: moments.map(_zulu),
    FieldType.NUMBER: st.sampled_from([0, 1.5, 180, -2]),
    FieldType.DECIMAL: st.sampled_from(["0", "-12.5", "0.1", "99.99", "123456789012.345"]),
    FieldType.TIME: st.sampled_from(["00:00", "06:30", "12:00", "22:15", "23:59"]),
    FieldType.CHOICES: st.sampled_from(
        [["Red"], ["Green"], ["Red", "Blue"], ["Red", "Green", "Blue"]]
    ),
    FieldType.CODED: st.builds(
        lambda pair, text: {"system": pair[0], "code": pair[1], "display": text},
        coding,
        st.sampled_from(["", *WORDS]),
    ),
}
ASKED = (
    "birth_date",
    "deceased",
    "city",
    "gender",
    "last_visit",
    "conditions",
    "results",
    "encounters",
    "custom_balance",
    "custom_height",
    "custom_calls",
    "custom_colours",
    "custom_ward",
)


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    """Canonical values; each field is missing now and then."""
    values: dict[str, Any] = {}
    for key in ASKED:
        field = FIELDS[key]
        if draw(st.integers(0, 3)) == 0:
            continue
        if field.is_list:
            values[key] = draw(st.lists(items(field.type), min_size=1, max_size=4))
        else:
            values[key] = draw(_SCALARS[field.type])
    return values


words = st.sampled_from((*WORDS, "bos", "EAST", "ss", "é", "2"))
happenings = st.builds(
    Happening,
    kind=st.sampled_from(EVENT_KINDS),
    at=moments,
    campaign=st.none() | st.sampled_from(CAMPAIGNS),
    link=st.sampled_from(["", "plan"]),
    machine=st.booleans(),
    properties=st.fixed_dictionaries(
        {},
        optional={
            "amount": st.sampled_from([5, 5.0, 7.25, -1, "5", True, None, [1, 9]]),
            "place": words | st.just(""),
            "at": moments.map(_zulu) | st.sampled_from(["2024-03-01", "soon"]),
            "order": st.fixed_dictionaries({"lines": st.lists(st.integers(0, 3), max_size=3)}),
            "tags": st.lists(st.sampled_from(COLOURS), max_size=3),
        },
    ),
)
lists_of = st.frozensets(st.sampled_from(LISTS))

relatives = st.fixed_dictionaries({"unit": st.sampled_from(CALENDAR)}).flatmap(
    lambda unit: st.sampled_from(["ago", "ahead"]).flatmap(
        lambda way: st.integers(0, 40).map(lambda n: {way: n, **unit})
    )
)
day_points = days.map(date.isoformat) | relatives
points = day_points | moments.map(lambda m: m.isoformat()) | st.just({"ago": 5, "unit": "hours"})
cases = st.sampled_from([{}, {}, {"case": "exact"}])
periods = st.sampled_from(sorted(PERIODS))
spans = st.fixed_dictionaries({"value": st.integers(0, 50), "unit": st.sampled_from(CALENDAR)})


def _clause(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(parts)


def _with(base: st.SearchStrategy[Any], more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda one, other: {**one, **other}, base, more)


exists = _clause(field=st.sampled_from(ASKED), op=st.just("exists"))
texts = _with(
    _clause(field=st.just("city"), op=st.sampled_from(["equals", "not_equals"]), value=words)
    | _clause(
        field=st.just("city"), op=st.just("in"), value=st.lists(words, min_size=1, max_size=3)
    )
    | _clause(
        field=st.just("city"),
        op=st.sampled_from(["starts_with", "ends_with", "contains"]),
        value=words | st.lists(words, min_size=1, max_size=3),
    )
    | _clause(
        field=st.sampled_from(["city", "custom_colours"]),
        op=st.just("matches"),
        value=st.sampled_from(PATTERNS),
    )
    | _clause(
        field=st.just("custom_colours"),
        op=st.sampled_from(["starts_with", "ends_with", "contains"]),
        value=st.sampled_from(["r", "RED", "e", ["gre", "lue"]]),
    ),
    cases,
)
colours = st.lists(st.sampled_from(COLOURS), min_size=1, max_size=3)
word_lists = (
    _clause(
        field=st.just("custom_colours"),
        op=st.sampled_from(["has_any", "has_all", "has_none"]),
        value=st.sampled_from(COLOURS) | colours,
    )
    | _clause(
        field=st.just("custom_colours"),
        op=st.sampled_from(["size_eq", "size_gte", "size_lte"]),
        value=st.integers(0, 4),
    )
    | _clause(
        field=st.just("custom_colours"),
        op=st.just("size_between"),
        value=st.tuples(st.integers(0, 3), st.integers(0, 4)).map(list),
    )
)
clocks = st.sampled_from(["00:00", "06:00", "06:30", "12:00", "22:15", "23:59"])
clock_times = (
    _clause(
        field=st.just("custom_calls"),
        op=st.sampled_from(
            ["before", "on_or_before", "after", "on_or_after", "equals", "not_equals"]
        ),
        value=clocks,
    )
    | _clause(
        field=st.just("custom_calls"),
        op=st.just("between"),
        value=st.tuples(clocks, clocks).map(list),
    )
    | _clause(field=st.just("custom_calls"), op=st.just("in"), value=st.lists(clocks, min_size=1))
)
amounts = {
    "custom_balance": st.sampled_from([0, "0.1", 0.1, -12.5, "99.99", "123456789012.345", 100]),
    "custom_height": st.sampled_from([0, 1.5, 180, -2, 7]),
}
numbers = st.sampled_from(sorted(amounts)).flatmap(
    lambda key: (
        _clause(
            field=st.just(key),
            op=st.sampled_from(["gt", "gte", "lt", "lte", "equals", "not_equals"]),
            value=amounts[key],
        )
        | _clause(
            field=st.just(key),
            op=st.just("between"),
            value=st.tuples(amounts[key], amounts[key]).map(list),
        )
        | _clause(
            field=st.just(key),
            op=st.just("in"),
            value=st.lists(amounts[key], min_size=1, max_size=3),
        )
    )
)
choices = _clause(
    field=st.just("gender"), op=st.just("equals"), value=st.sampled_from(["female", "male"])
) | _clause(field=st.just("deceased"), op=st.just("equals"), value=st.booleans())
BOUNDS = st.sampled_from(["before", "on_or_before", "after", "on_or_after"])
dates = (
    _clause(field=st.just("birth_date"), op=BOUNDS, value=day_points)
    | _clause(field=st.just("birth_date"), op=st.just("equals"), value=days.map(date.isoformat))
    | _clause(field=st.just("last_visit"), op=BOUNDS, value=points)
    | _clause(
        field=st.just("birth_date"),
        op=st.just("between"),
        value=st.tuples(day_points, day_points).map(list),
    )
    | _clause(
        field=st.just("last_visit"),
        op=st.just("between"),
        value=st.tuples(points, points).map(list),
    )
    | _with(
        _clause(
            field=st.sampled_from(["birth_date", "last_visit"]),
            op=st.sampled_from(["within_last", "within_next", "older_than"]),
        ),
        spans,
    )
    | _clause(
        field=st.just("birth_date"),
        op=st.sampled_from(["age_gte", "age_gt", "age_lte", "age_lt"]),
        value=st.integers(0, 80),
    )
    | _clause(
        field=st.just("birth_date"),
        op=st.just("age_between"),
        value=st.tuples(st.integers(0, 40), st.integers(0, 80)).map(list),
        on=days.map(date.isoformat),
    )
    | _clause(
        field=st.just("birth_date"),
        op=st.just("month_is"),
        value=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    )
    | _clause(
        field=st.sampled_from(["birth_date", "last_visit"]), op=st.just("during"), value=periods
    )
    | _clause(
        field=st.just("birth_date"), op=st.just("anniversary_within"), value=st.integers(0, 366)
    )
)


GROUPED = st.sampled_from(sorted(GROUPS)).map(str)
BETWEEN = st.sampled_from(
    [{"gt": 5}, {"gte": 6.5, "lt": 7.1}, {"lte": 0.1}, {"gt": 9, "lte": 3}, {"lt": 6.5}]
)


def _one_window(asked: dict[str, Any]) -> dict[str, Any]:
    """A period names both of its ends: nothing else may."""
    other = ("since", "before") if "during" in asked else ()
    return {key: value for key, value in asked.items() if key not in other}


def wheres(kind: FieldType) -> st.SearchStrategy[dict[str, Any]]:
    """Some conditions on an entry, in the clause itself or under `where`."""
    point = day_points if kind is FieldType.CODES else points
    units = CALENDAR if kind is FieldType.CODES else UNITS
    asked: dict[str, st.SearchStrategy[Any]] = {
        "codes": st.lists(st.sampled_from(CODES), min_size=1, max_size=2),
        "group": GROUPED | st.lists(GROUPED, min_size=1, max_size=2),
        "system": st.sampled_from(SYSTEMS),
        "text": words,
        "since": point,
        "before": point,
    }
    if kind is not FieldType.RESULTS:
        asked["status"] = st.sampled_from(STATUSES)
    if kind is FieldType.OCCURRENCES:
        asked["class"] = st.sampled_from(KINDS)
    lengths = st.sampled_from(
        [f"{prefix}_{unit}" for prefix in ("within", "next") for unit in units]
    ).flatmap(lambda key: st.fixed_dictionaries({key: st.integers(0, 50)}))
    spans: st.SearchStrategy[Any] = lengths | periods.map(lambda name: {"during": name})
    measured = BETWEEN if kind is FieldType.RESULTS else st.just({})
    some = st.builds(
        lambda plain, span, value: _one_window({**plain, **span, **value}),
        st.lists(st.sampled_from(sorted(asked)), max_size=2, unique=True).flatmap(
            lambda keys: st.fixed_dictionaries({key: asked[key] for key in keys})
        ),
        st.just({}) | spans,
        st.just({}) | measured,
    )
    return some | some.map(lambda found: {"where": found} if found else {})


def _listed(key: str) -> st.SearchStrategy[Any]:
    counts = _clause(
        field=st.just(key),
        op=st.sampled_from(["count_gte", "count_lte", "count_eq", "size_eq", "size_gte"]),
        value=st.integers(0, 3),
    ) | _clause(
        field=st.just(key),
        op=st.sampled_from(["count_between", "size_between"]),
        value=st.tuples(st.integers(0, 2), st.integers(0, 3)).map(list),
    )
    coded = _clause(
        field=st.just(key),
        op=st.sampled_from(["has_any", "has_all", "has_none", "has_code"]),
        codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=2),
    ) | _clause(
        field=st.just(key),
        op=st.sampled_from(["has_any", "has_all", "has_none", "has_code"]),
        group=GROUPED | st.lists(GROUPED, min_size=1, max_size=2),
    )
    return _with(counts, wheres(FIELDS[key].type)) | coded


coded_values = (
    _clause(
        field=st.just("custom_ward"),
        op=st.sampled_from(["has_any", "has_none", "has_code"]),
        codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=2),
    )
    | _clause(
        field=st.just("custom_ward"),
        op=st.sampled_from(["has_any", "has_none"]),
        group=GROUPED,
        system=st.sampled_from(SYSTEMS),
    )
    | _clause(field=st.just("custom_ward"), op=st.just("has_any"), text=words)
)
latest = _with(
    _clause(
        field=st.just("results"),
        op=st.sampled_from(["latest_gte", "latest_gt", "latest_lt", "latest_lte", "latest_equals"]),
        value=st.sampled_from([5, 6.5, 6.499, 0.1, 7]),
    )
    | _clause(
        field=st.just("results"),
        op=st.just("latest_between"),
        value=st.sampled_from([[5, 7], [6.5, 6.5]]),
    )
    | _clause(
        field=st.just("results"),
        op=st.just("latest_is"),
        value=st.sampled_from(["positive", ["Negative", "x"]]),
    ),
    st.builds(
        lambda which, more: {**which, **more},
        _clause(code=st.sampled_from(CODES)) | _clause(group=GROUPED),
        st.sampled_from([{}, {"within_days": 30}, {"unit": "%"}, {"since": "2024-03-01"}]),
    ),
)
times = st.fixed_dictionaries({"at_least": st.integers(0, 3)}) | st.sampled_from(
    [{"at_most": 0}, {"at_most": 2}, {"exactly": 0}, {"exactly": 2}]
)
narrowed = st.fixed_dictionaries(
    {},
    optional={
        "within_days": st.integers(0, 40),
        "since": points,
        "campaign": st.sampled_from(CAMPAIGNS).map(str),
        "link": st.just("plan"),
        "machine": st.booleans(),
        "during": periods,
    },
).map(_one_window)
asked_of_property = (
    _clause(
        property=st.sampled_from(["amount", "order.lines"]),
        op=st.sampled_from(["equals", "not_equals", "gt", "gte", "lt", "lte"]),
        value=st.sampled_from([5, 1, 7.25, -1, 0]),
    )
    | _clause(
        property=st.sampled_from(["place", "amount", "tags"]),
        op=st.sampled_from(["equals", "not_equals", "starts_with", "ends_with", "contains"]),
        value=words | st.sampled_from(["5", "red"]),
    )
    | _clause(property=st.just("place"), op=st.just("matches"), value=st.sampled_from(PATTERNS))
    | _clause(property=st.just("amount"), op=st.just("equals"), value=st.booleans())
    | _clause(
        property=st.sampled_from(["amount", "place", "tags", "no.such"]), op=st.just("exists")
    )
    | _clause(
        property=st.just("at"),
        op=st.sampled_from(["before", "after"]),
        value=points,
    )
    | _clause(
        property=st.just("at"),
        op=st.sampled_from(["within_last", "within_next", "older_than"]),
        value=st.integers(0, 40),
        unit=st.sampled_from(UNITS),
    )
    | _clause(property=st.just("at"), op=st.just("during"), value=periods)
    | _clause(
        property=st.sampled_from(["tags", "order.lines"]),
        op=st.sampled_from(["has_any", "has_all", "has_none"]),
        value=colours,
    )
    | _clause(property=st.just("tags"), op=st.just("size_gte"), value=st.integers(0, 3))
)
conditions = (
    st.lists(asked_of_property, min_size=1, max_size=2)
    | st.fixed_dictionaries({"any": st.lists(asked_of_property, min_size=1, max_size=2)})
    | st.fixed_dictionaries({"not": asked_of_property})
)
counted = _with(_clause(event=st.sampled_from(EVENTS_ASKED), times=times), narrowed)
counted_where = _with(counted, _clause(where=conditions))
totals = _with(
    _with(_clause(event=st.sampled_from(EVENTS_ASKED)), narrowed),
    _clause(
        aggregate=_clause(
            property=st.sampled_from(["amount", "place", "order.lines"]),
            fn=st.sampled_from(["sum", "avg", "min", "max", "count_distinct"]),
        ),
        op=st.sampled_from(["gt", "gte", "lt", "lte"]),
        value=st.sampled_from([0, 1, 5, 7.25]),
    ),
)
firsts = _with(
    _with(
        _clause(event=st.sampled_from(EVENTS_ASKED), which=st.sampled_from(["first", "last"])),
        narrowed,
    ),
    st.just({})
    | _clause(where=conditions)
    | _clause(of=conditions)
    | _clause(of=conditions, where=conditions),
)
_events = counted | counted_where | totals | firsts


@st.composite
def _any_event(draw: st.DrawFn) -> Any:
    return draw(_events)


events = _any_event()
on_list = st.sampled_from(LISTS).map(lambda found: {"list": str(found)})

_leaves = (
    exists
    | texts
    | choices
    | dates
    | _listed("conditions")
    | _listed("encounters")
    | _listed("results")
    | latest
    | word_lists
    | clock_times
    | numbers
    | coded_values
)


@st.composite
def _any_leaf(draw: st.DrawFn) -> Any:
    """Drawn by hand, because Hypothesis writes strategies out and this one is long."""
    return draw(_leaves)


leaves = _any_leaf()
housed = (leaves | events | on_list).map(lambda asked: {"household": asked})
shares = st.builds(
    lambda percent, start, name: {"share": {"percent": percent, "of": name, **start}},
    st.sampled_from([0.01, 10, 33.33, 50]),
    st.sampled_from([{}, {"from": 25}, {"from": 50}]),
    st.sampled_from(["pilot", "Pilot", "é"]),
)
anything = leaves | events | on_list | housed | shares | st.just({"everyone": True})


def trees(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"not": inner})
            | st.builds(
                lambda how, n, parts: {how: n, "of": parts},
                st.sampled_from(["exactly", "at_least", "at_most"]),
                st.integers(0, 3),
                st.lists(inner, min_size=1, max_size=3),
            )
        ),
        max_leaves=6,
    )


def read(tree: Any) -> Definition:
    """Parse with these fields, and put the groups' codes in."""
    return references.expand(parse(tree, fields=FIELDS), lambda segment: None, codes_of=GROUPS.get)
