"""What the builder offers: for each subject its operators, and for each operator its inputs.

The builder's script reads this as JSON. An input's `name` is the key that it writes; `value.0` and
`value.1` are the two places of a list, `where.status` a key of an object.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contacts.fields import FIELDS, DataClass, Field, FieldType
from contacts.models import ContactList
from contacts.segments.catalogue import titled
from contacts.segments.models import Segment

Json = dict[str, Any]

GROUPS = {
    DataClass.IDENTITY: "Person",
    DataClass.CONTACT_POINT: "Where they live",
    DataClass.DEMOGRAPHIC: "Person",
    DataClass.CLINICAL: "Clinical",
    DataClass.COVERAGE: "Coverage",
    DataClass.ENGAGEMENT: "Engagement",
}
EVENTS = {
    "message.sent": "Message sent",
    "message.opened": "Message opened",
    "message.clicked": "Link clicked",
    "message.bounced": "Message bounced",
    "message.unsubscribed": "Unsubscribed",
    "appointment.booked": "Appointment booked",
    "appointment.missed": "Appointment missed",
    "appointment.attended": "Appointment attended",
    "encounter.started": "Visit started",
}
UNITS = [["days", "days"], ["weeks", "weeks"], ["months", "months"], ["years", "years"]]
CLASSES = [
    ["", "any class"],
    ["AMB", "ambulatory"],
    ["EMER", "emergency"],
    ["IMP", "inpatient"],
    ["VR", "virtual"],
]


def subjects(*, but: UUID | None = None) -> list[Json]:
    """Everything that can be asked about. `but` is a segment that may not refer to itself."""
    return [
        *(_field(field) for field in FIELDS.values() if field.segmentable),
        *_events(),
        *_lists(),
        *_segments(but),
    ]


def _field(field: Field) -> Json:
    return {
        "id": f"field:{field.key}",
        "key": ["field", field.key],
        "label": field.label,
        "group": GROUPS[field.data_class],
        "operators": _operators(field),
    }


def _operators(field: Field) -> list[Json]:
    if field.type is FieldType.CHOICE:
        options = [[choice, choice] for choice in field.choices]
        return [_op("equals", "is", _choice("value", "Value", options)), _known()]
    if field.type is FieldType.BOOLEAN:
        answers = [["true", "yes"], ["false", "no"]]
        return [_op("equals", "is", _choice("value", "Value", answers, type="boolean")), _known()]
    made = {
        FieldType.TEXT: _text,
        FieldType.NUMBER: _number,
        FieldType.DATE: _date,
        FieldType.DATETIME: _moment,
        FieldType.CODES: _codes,
        FieldType.RESULTS: _results,
        FieldType.OCCURRENCES: _occurrences,
    }[field.type]()
    if field.key == "birth_date":
        return [*_age(), *made]
    return made


def _op(op: str, label: str, *inputs: Json) -> Json:
    return {"op": op, "label": label, "inputs": list(inputs)}


def _input(name: str, label: str, type_: str, *, optional: bool = False, **more: Any) -> Json:
    return {"name": name, "label": label, "type": type_, "optional": optional, **more}


def _choice(name: str, label: str, options: list[list[str]], **more: Any) -> Json:
    return _input(name, label, more.pop("type", "choice"), options=options, **more)


def _known() -> Json:
    return _op("exists", "is known")


def _text() -> list[Json]:
    value = _input("value", "Text", "text")
    several = _input("value", "Texts, separated by commas", "texts")
    return [
        _op("equals", "is", value),
        _op("in", "is one of", several),
        _op("starts_with", "starts with", several),
        _op("ends_with", "ends with", several),
        _op("contains", "contains", several),
        _known(),
    ]


def _number() -> list[Json]:
    number = _input("value", "Number", "number")
    pair = (_input("value.0", "From", "number"), _input("value.1", "To", "number"))
    return [
        _op("equals", "is", number),
        _op("gte", "is at least", number),
        _op("gt", "is more than", number),
        _op("lte", "is at most", number),
        _op("lt", "is less than", number),
        _op("between", "is between", *pair),
        _known(),
    ]


def _moment() -> list[Json]:
    day = _input("value", "Day", "date")
    span = (_input("value", "How many", "whole"), _choice("unit", "Unit", UNITS))
    pair = (_input("value.0", "From", "date"), _input("value.1", "To", "date"))
    return [
        _op("within_last", "is within the last", *span),
        _op("older_than", "is more than … ago", *span),
        _op("within_next", "is within the next", *span),
        _op("before", "is before", day),
        _op("on_or_after", "is on or after", day),
        _op("between", "is between", *pair),
        _known(),
    ]


def _date() -> list[Json]:
    months = [[str(number), name] for number, name in enumerate(_MONTHS, 1)]
    ahead = _input("value", "Days ahead", "whole")
    return [
        *_moment(),
        _op("month_is", "falls in", _choice("value", "Month", months, type="whole-choice")),
        _op("anniversary_within", "has its anniversary within days", ahead),
    ]


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def _age() -> list[Json]:
    years = _input("value", "Years", "whole")
    on = _input("on", "On this day (empty: today)", "date", optional=True)
    pair = (_input("value.0", "From", "whole"), _input("value.1", "To", "whole"))
    return [
        _op("age_gte", "age is at least", years, on),
        _op("age_lt", "age is below", years, on),
        _op("age_between", "age is between", *pair, on),
    ]


def _codes() -> list[Json]:
    codes = _input("codes", "Codes, separated by commas", "texts")
    text = _input("text", "Text contains (or commas between)", "texts")
    status = _input("status", "Status (empty: any)", "texts", optional=True)
    system = _input("system", "Code system (empty: any)", "text", optional=True)
    within = _input("within_months", "In the last months (empty: ever)", "whole", optional=True)
    return [
        _op("has_code", "include the code", codes, status, system, within),
        {**_op("has_code", "include the text", text, status, within), "variant": "text"},
        _op("exists", "include anything"),
    ]


def _results() -> list[Json]:
    code = _input("code", "Code (LOINC)", "text")
    within = _input("within_months", "In the last months (empty: ever)", "whole", optional=True)
    number = _input("value", "Value", "number")
    pair = (_input("value.0", "From", "number"), _input("value.1", "To", "number"))
    return [
        _op("latest_gte", "latest is at least", code, number, within),
        _op("latest_gt", "latest is more than", code, number, within),
        _op("latest_lt", "latest is below", code, number, within),
        _op("latest_between", "latest is between", code, *pair, within),
        _op("latest_is", "latest says", code, _input("value", "Answer", "texts"), within),
        _op("has_code", "exist for the code", _input("codes", "Codes", "texts"), within),
    ]


def _occurrences() -> list[Json]:
    number = _input("value", "How many", "whole", default="1")
    more = (
        _input("codes", "Codes (empty: any)", "texts", optional=True),
        _choice("class", "Class", CLASSES, optional=True),
        _input("status", "Status (empty: any)", "texts", optional=True),
        _input("since", "Since (empty: ever)", "date", optional=True),
        _input("within_days", "In the last days (empty: ever)", "whole", optional=True),
    )
    return [
        _op("count_gte", "number at least", number, *more),
        _op("count_lte", "number at most", number, *more),
        _op("count_eq", "number exactly", number, *more),
    ]


def _events() -> list[Json]:
    more = (
        _input("within_days", "In the last days (empty: ever)", "whole", optional=True),
        _input("link", "On the link labelled", "text", optional=True),
    )
    operators = [
        {**_op("", label, _input(f"times.{key}", "Times", "whole", default="1"), *more)}
        for key, label in (
            ("at_least", "happened at least"),
            ("at_most", "happened at most"),
            ("exactly", "happened exactly"),
        )
    ]
    return [
        {
            "id": f"event:{kind}",
            "key": ["event", kind],
            "label": label,
            "group": "What they did",
            "operators": operators,
        }
        for kind, label in EVENTS.items()
    ]


def _lists() -> list[Json]:
    return [
        _member("list", str(row.id), row.name, "Lists") for row in ContactList.objects.all()[:200]
    ]


def _segments(but: UUID | None) -> list[Json]:
    rows = Segment.objects.filter(archived_at=None).order_by("created_at")[:200]
    return [
        _member("segment", str(row.id), titled(row, clinical=False), "Segments")
        for row in rows
        if row.id != but
    ]


def _member(kind: str, id_: str, name: str, group: str) -> Json:
    return {
        "id": f"{kind}:{id_}",
        "key": [kind, id_],
        "label": name,
        "group": group,
        "operators": [_op("", "has this person")],
    }
