"""What the builder offers: every subject that can be asked about, with its questions.

The builder's script reads this as JSON. What the parser does not speak is not offered.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import F
from django.urls import reverse

from accounts.models import User
from consent.addresses import FIELD_OF_CHANNEL
from consent.policy import Purpose
from contacts import registry
from contacts.declared.models import CodeGroup
from contacts.fields import DataClass, Field, FieldType
from contacts.models import ContactList
from contacts.segments import language
from contacts.segments.catalogue import titled
from contacts.segments.definition import DefinitionInvalid, parse
from contacts.segments.models import Segment
from marketing.web import naming, segment_inputs
from marketing.web.segment_inputs import (
    Json,
    Options,
    choice,
    entry,
    op,
    operators_of,
    part,
    window,
)
from messaging.models import Template
from workflows.models import Workflow

GROUPS = {
    DataClass.IDENTITY: "Person",
    DataClass.CONTACT_POINT: "Where they live",
    DataClass.DEMOGRAPHIC: "Person",
    DataClass.CLINICAL: "Clinical",
    DataClass.COVERAGE: "Coverage",
    DataClass.ENGAGEMENT: "Engagement",
}
ALSO = {
    "birth_date": "age birthday born",
    "postal_code": "zip",
    "conditions": "diagnosis problem disease",
    "medications": "drug prescription",
    "results": "lab observation vital",
    "encounters": "encounter admission hospital",
    "immunizations": "vaccine shot",
    "insurance": "payer",
    "deceased": "dead died",
}
EVENTS = {
    "appointment.*": "Anything about an appointment",
    "message.sent": "Message sent",
    "message.opened": "Message opened",
    "message.clicked": "Link clicked",
    "message.bounced": "Message bounced",
    "message.unsubscribed": "Unsubscribed",
    "appointment.booked": "Appointment booked",
    "appointment.missed": "Appointment missed",
    "appointment.attended": "Appointment attended",
    "encounter.started": "Visit started",
    "form.submitted": "Form filled in",
    "portal.signed_in": "Signed in to the portal",
}
OFFERED = 500
_ANY = UUID(int=0)
"""Stands in an address where the script puts what was chosen."""
ENTRIES = (FieldType.CODES, FieldType.RESULTS, FieldType.OCCURRENCES)
_ASKED: Json = {"field": "city", "op": "exists"}


def whole(user: User, *, but: UUID | None = None) -> Json:
    """The language as the builder reads it. `but` is a segment that may not refer to itself."""
    leaves = [leaf.key for leaf in language.leaves()]
    return {
        "subjects": subjects(user, but=but),
        "kinds": ["field", "list", "segment", "everyone", "share", *leaves, "event"],
        "groups": [name for name in _GROUP_TREES if speaks(name)],
        "periods": segment_inputs.CALENDAR,
        "campaigns": _campaigns(),
        "workflows": _workflows(),
        "codes": reverse("segment-codes"),
        "parts": {
            "workflow": reverse("segment-steps", args=[_ANY]),
            "campaign": reverse("segment-links", args=[_ANY]),
        },
        "any": str(_ANY),
    }


def subjects(user: User, *, but: UUID | None = None) -> list[Json]:
    groups = code_groups(user)
    return [
        *(
            _field(field, groups)
            for field in naming.fields_for(registry.current().values(), user)
            if field.segmentable or field.by_rules
        ),
        *_messages(),
        *_events(),
        *_consent(),
        *_journeys(),
        *_lists(),
        *_segments(user, but),
        *_anybody(),
    ]


_GROUP_TREES: dict[str, Json] = {
    **{name: {name: 1, "of": [_ASKED]} for name in ("exactly", "at_least", "at_most")},
    "household": {"household": _ASKED},
}
_EVENT_TREES: dict[str, Json] = {
    "where": {"event": "a.b", "where": [{"property": "x", "op": "equals", "value": "y"}]},
    "aggregate": {
        "event": "a.b",
        "aggregate": {"property": "x", "fn": "sum"},
        "op": "gte",
        "value": 1,
    },
    "which": {"event": "a.b", "which": "first"},
    "group": {"field": "conditions", "op": "has_code", "group": str(UUID(int=7))},
}


@cache
def speaks(name: str) -> bool:
    """Whether the parser takes such a sentence; asked once."""
    try:
        parse((_GROUP_TREES | _EVENT_TREES)[name])
    except DefinitionInvalid:
        return False
    return True


def code_groups(user: User) -> list[list[Any]]:
    """The code groups that may be offered, by id and name; none before segments ask them."""
    if not speaks("group"):
        return []
    rows = CodeGroup.objects.filter(archived_at=None).order_by("name")
    return [[str(one.pk), one.name] for one in naming.groups_for(rows, user)]


def _subject(kind: str, value: str | None, label: str, group: str, operators: list[Json]) -> Json:
    objects = {
        one["name"].split(".")[0]
        for op_ in operators
        for one in op_["inputs"]
        if "." in one["name"]
    }
    found: Json = {
        "id": f"{kind}:{'*' if value is None else value}",
        "kind": kind,
        "label": label,
        "group": group,
        "operators": operators,
        "objects": sorted(objects | ({"times"} if kind == "event" else set())),
    }
    return found if value is None else {**found, "value": value}


def _whole(key: str, label: str, group: str, *operators: Json) -> Json:
    """A registered leaf: its value is an object that the inputs fill."""
    return {**_subject("leaf", key, label, group, list(operators)), "kind": key, "whole": True}


def _field(field: Field, groups: list[list[Any]]) -> Json:
    operators = operators_of(field, groups)
    found = _subject("field", field.key, field.label, GROUPS[field.data_class], operators)
    return {**found, "entries": field.type in ENTRIES, "also": ALSO.get(field.key, "")}


def _events() -> list[Json]:
    asked = _happened()
    named = [
        _subject("event", kind, label, "What they did", asked) for kind, label in EVENTS.items()
    ]
    whole = entry("event", "Name of the event", "text", placeholder="form.submitted")
    begun = entry("event", "Begins with", "beginning", placeholder="form.")
    other = _subject("event", None, "Another event", "What they did", _first(whole, asked))
    several = _subject(
        "event", None, "Events that begin with", "What they did", _first(begun, asked)
    )
    return [
        *named,
        {**other, "also": "event custom"},
        {**several, "id": "event:begins", "also": "event custom prefix wildcard any"},
    ]


def _first(named: Json, asked: list[Json]) -> list[Json]:
    return [{**one, "inputs": [named, *one["inputs"]]} for one in asked]


def _happened() -> list[Json]:
    more = [
        choice("campaign", "Of the campaign", [], optional=True, more=True, listed="campaigns"),
        part("link", "On the link", of="campaign", none="any link", optional=True, more=True),
        entry("machine", "Count machines too", "boolean", optional=True, more=True, none="no"),
        window(hours=True),
    ]
    asked = []
    if speaks("where"):
        asked = [entry("where", "With properties", "conditions", optional=True, more=True)]
    found = [
        op(
            "",
            "happened",
            entry("times", "How often", "times", default={"how": "", "count": 1}),
            *more,
            *asked,
        )
    ]
    if speaks("aggregate"):
        found += [op(name, words, *_aggregate(), *more, *asked) for name, words in _COMPARED]
        between = entry("value", "Range", "pair", of="number")
        found.append(op("between", "adds up to between", *_aggregate()[:2], between, *more, *asked))
    if speaks("which"):
        found += [
            op("", f"the {which} one was", *more, *asked, fixed={"which": which})
            for which in ("first", "last")
        ]
    return found


_COMPARED = (
    ("gte", "adds up to at least"),
    ("gt", "adds up to more than"),
    ("lte", "adds up to at most"),
    ("lt", "adds up to less than"),
)


def _aggregate() -> list[Json]:
    figures = [
        ["sum", "the sum"],
        ["avg", "the average"],
        ["min", "the smallest"],
        ["max", "the largest"],
        ["count_distinct", "how many different"],
    ]
    return [
        choice("aggregate.fn", "Figure", figures),
        entry("aggregate.property", "Of the property", "text"),
        entry("value", "Number", "number"),
    ]


def _campaigns() -> Options:
    """Messages by name; archived ones last, since people still opened them."""
    rows = Template.objects.order_by(F("archived_at").asc(nulls_first=True), "name")[:OFFERED]
    return [
        [str(row.id), f"{row.name} (archived)" if row.archived_at else row.name] for row in rows
    ]


def _workflows() -> Options:
    rows = Workflow.objects.order_by("name").values_list("id", "name")
    return [[str(workflow_id), name] for workflow_id, name in rows[:OFFERED]]


def _messages() -> list[Json]:
    """Engagement over the last so many messages of a kind, or of chosen campaigns."""
    if language.leaf("engagement") is None:
        return []
    last = entry("last", "How many", "whole", default=3)
    topic = entry("of", "Of the topic", "text", placeholder="newsletter")
    several = choice("of", "Of the campaigns", [], type="choices", listed="campaigns")
    ways: Options = [["none", "none"], ["any", "at least one"], ["all", "all"]]
    operators = [
        op("", words, last, of, choice(act, "Which", ways))
        for words, act, of in (
            ("opened, of the last", "opened", topic),
            ("clicked, of the last", "clicked", topic),
            ("opened, of the last of campaigns", "opened", several),
            ("clicked, of the last of campaigns", "clicked", several),
        )
    ]
    found = _whole("engagement", "Last messages opened or clicked", "Engagement", *operators)
    return [{**found, "also": "newsletter engagement opens clicks"}]


def _consent() -> list[Json]:
    if language.leaf("consent") is None:
        return []
    purposes: Options = [[one.value, one.value.replace("_", " ")] for one in Purpose]
    classes: Options = [[one.value, one.value.replace("_", " ")] for one in DataClass]
    channels: Options = [[one, one] for one in FIELD_OF_CHANNEL]
    purpose = choice("purpose", "Purpose", purposes)
    permitted = op(
        "",
        "may be written to, for",
        purpose,
        choice("channel", "Channel", channels, optional=True, none="email"),
        choice("classes", "About", classes, type="choices", optional=True, more=True),
    )
    signed = [
        op("", words, purpose, fixed={"state": state})
        for state, words in (
            ("live", "has a live authorization for"),
            ("expired", "had an authorization that expired for"),
            ("revoked", "withdrew the authorization for"),
            ("never", "never signed for"),
        )
    ]
    days = entry("within_days", "Within days", "whole", default=30)
    expiring = op("", "has an authorization that ends soon for", purpose, days,
                  fixed={"state": "expiring"})  # fmt: skip
    refused = op(
        "",
        "opted out",
        choice("purpose", "Of the purpose", purposes, optional=True),
        choice("channel", "Of the channel", channels, optional=True),
        entry("topic", "Of the topic (empty: any)", "text", optional=True),
        fixed={"opted_out": True},
    )
    found = _whole("consent", "Consent", "Consent", permitted, *signed, expiring, refused)
    return [{**found, "also": "may be written to authorization opt out permission"}]


def _journeys() -> list[Json]:
    if language.leaf("journey") is None or not Workflow.objects.exists():
        return []
    ways: Options = [
        ["in", "is in it now"],
        ["finished", "finished it"],
        ["stopped", "was stopped in it"],
        ["ever", "ever came to it"],
    ]
    asked = op(
        "",
        "of",
        choice("workflow", "Workflow", [], listed="workflows"),
        choice("is", "Way", ways, optional=True, none="is in it now"),
        part("step", "At the step", of="workflow", none="any step", optional=True),
        window(hours=True),
    )
    return [_whole("journey", "Journey", "Workflows", asked)]


def _lists() -> list[Json]:
    rows = ContactList.objects.order_by("name")[:200]
    return [_subject("list", str(row.id), row.name, "Lists", _HAS) for row in rows]


def _segments(user: User, but: UUID | None) -> list[Json]:
    clinical = DataClass.CLINICAL.value in user.data_classes
    rows = Segment.objects.filter(archived_at=None).order_by("created_at")[:200]
    return [
        _subject("segment", str(row.id), titled(row, clinical=clinical), "Segments", _CAME_IN)
        for row in rows
        if row.id != but
    ]


def _anybody() -> list[Json]:
    drawn = op(
        "",
        "are drawn, of all people:",
        entry("percent", "Percent", "number", default=10),
        entry("of", "Drawn by the name", "text", default="pilot"),
        entry("from", "Beginning at percent", "number", optional=True, more=True),
    )
    everyone = _subject("everyone", "true", "Everyone", "Anybody", [op("", "is meant")])
    share = _whole("share", "A random share", "Anybody", drawn)
    return [
        {**everyone, "value": True, "also": "all people everybody"},
        {**share, "also": "percent lot sample pilot hold-out test group"},
    ]


_HAS: list[Json] = [op("", "has this person")]
_CAME_IN: list[Json] = [op("", "has this person", {**window(hours=True), "label": "Came in"})]
