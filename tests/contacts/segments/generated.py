"""People and definitions that Hypothesis makes: small worlds, so that values often meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from contacts.fields import FIELDS, FieldType
from contacts.segments.facts import Happening

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
UNITS = ("hours", "days", "weeks", "months", "years")
EVENTS = ("message.clicked", "message.opened")
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


happenings = st.builds(
    Happening,
    kind=st.sampled_from(EVENTS),
    at=moments,
    campaign=st.none() | st.sampled_from(CAMPAIGNS),
    link=st.sampled_from(["", "plan"]),
    machine=st.booleans(),
)
lists_of = st.frozensets(st.sampled_from(LISTS))

relatives = st.fixed_dictionaries({"unit": st.sampled_from(UNITS[1:])}).flatmap(
    lambda unit: st.sampled_from(["ago", "ahead"]).flatmap(
        lambda way: st.integers(0, 40).map(lambda n: {way: n, **unit})
    )
)
day_points = days.map(date.isoformat) | relatives
points = day_points | moments.map(lambda m: m.isoformat()) | st.just({"ago": 5, "unit": "hours"})
words = st.sampled_from((*WORDS, "bos", "EAST", "ss", "é", "2"))
cases = st.sampled_from([{}, {}, {"case": "exact"}])
spans = st.fixed_dictionaries({"value": st.integers(0, 50), "unit": st.sampled_from(UNITS[1:])})


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
    ),
    cases,
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
        field=st.just("birth_date"), op=st.just("anniversary_within"), value=st.integers(0, 366)
    )
)


def wheres(kind: FieldType) -> st.SearchStrategy[dict[str, Any]]:
    """Some conditions on an entry, in the clause itself or under `where`."""
    point = day_points if kind is FieldType.CODES else points
    units = UNITS[1:] if kind is FieldType.CODES else UNITS
    asked: dict[str, st.SearchStrategy[Any]] = {
        "codes": st.lists(st.sampled_from(CODES), min_size=1, max_size=2),
        "system": st.sampled_from(SYSTEMS),
        "text": words,
        "since": point,
        "before": point,
    }
    if kind is not FieldType.RESULTS:
        asked["status"] = st.sampled_from(STATUSES)
    if kind is FieldType.OCCURRENCES:
        asked["class"] = st.sampled_from(KINDS)
    spans = st.sampled_from(
        [f"{prefix}_{unit}" for prefix in ("within", "next") for unit in units]
    ).flatmap(lambda key: st.fixed_dictionaries({key: st.integers(0, 50)}))
    some = st.builds(
        lambda plain, span: {**plain, **span},
        st.lists(st.sampled_from(sorted(asked)), max_size=2, unique=True).flatmap(
            lambda keys: st.fixed_dictionaries({key: asked[key] for key in keys})
        ),
        st.just({}) | spans,
    )
    return some | some.map(lambda found: {"where": found} if found else {})


def _listed(key: str) -> st.SearchStrategy[Any]:
    counts = _clause(
        field=st.just(key),
        op=st.sampled_from(["count_gte", "count_lte", "count_eq"]),
        value=st.integers(0, 3),
    )
    return _with(counts, wheres(FIELDS[key].type))


latest = _with(
    _clause(
        field=st.just("results"),
        op=st.sampled_from(["latest_gte", "latest_gt", "latest_lt", "latest_lte", "latest_equals"]),
        value=st.sampled_from([5, 6.5, 6.499, 0.1, 7]),
        code=st.sampled_from(CODES),
    )
    | _clause(
        field=st.just("results"),
        op=st.just("latest_between"),
        value=st.sampled_from([[5, 7], [6.5, 6.5]]),
        code=st.sampled_from(CODES),
    )
    | _clause(
        field=st.just("results"),
        op=st.just("latest_is"),
        value=st.sampled_from(["positive", ["Negative", "x"]]),
        code=st.sampled_from(CODES),
    ),
    st.sampled_from([{}, {"within_days": 30}, {"unit": "%"}, {"since": "2024-03-01"}]),
)
times = st.fixed_dictionaries({"at_least": st.integers(0, 3)}) | st.sampled_from(
    [{"at_most": 0}, {"at_most": 2}, {"exactly": 0}, {"exactly": 2}]
)
events = _with(
    _clause(event=st.sampled_from(EVENTS), times=times),
    st.fixed_dictionaries(
        {},
        optional={
            "within_days": st.integers(0, 40),
            "since": points,
            "campaign": st.sampled_from(CAMPAIGNS).map(str),
            "link": st.just("plan"),
            "machine": st.booleans(),
        },
    ),
)
on_list = st.sampled_from(LISTS).map(lambda found: {"list": str(found)})

leaves = (
    exists
    | texts
    | choices
    | dates
    | _listed("conditions")
    | _listed("encounters")
    | _listed("results")
    | latest
)
anything = leaves | events | on_list


def trees(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"not": inner})
        ),
        max_leaves=6,
    )
