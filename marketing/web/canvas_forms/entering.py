"""What brings people in, as the editor offers it."""

from __future__ import annotations

from dataclasses import replace

from marketing.web.canvas_forms.shape import EVENT, FieldForm, KindForm, Option

_RULES = (
    FieldForm(
        key="only",
        label="Only who is in",
        type="choice",
        options="segments",
        optional=True,
        hint="Looked at once, when a person comes in.",
    ),
    FieldForm(
        key="never",
        label="Nobody who is in",
        type="choice",
        options="segments",
        optional=True,
    ),
    FieldForm(
        key="per_hour",
        label="At most so many each hour",
        type="number",
        optional=True,
        hint="The others wait for the next hours.",
    ),
    FieldForm(
        key="while",
        label="People leave when they leave",
        type="choice",
        options="segments",
        optional=True,
    ),
    FieldForm(
        key="stops",
        label="People leave when this happens",
        type="names",
        options="events",
        optional=True,
        hint="Names of events with commas, such as consent.opted_out.",
    ),
)
_AGAIN = FieldForm(
    key="again",
    label="The same person again",
    type="again",
    optional=True,
    either=(
        Option("", "never"),
        Option("after_leaving", "after leaving"),
        Option("period", "after a time"),
    ),
)

TRIGGERS = (
    KindForm(
        kind="segment",
        label="by entering or leaving a segment",
        does="Everybody who comes to be in it, or leaves it.",
        title="{on} {segment}",
        fields=(
            FieldForm(key="segment", label="Segment", type="choice", options="segments"),
            FieldForm(
                key="on",
                label="When a person",
                type="pick",
                optional=True,
                either=(Option("entered", "Enters"), Option("left", "Leaves")),
            ),
            FieldForm(
                key="present", label="Also who is in it when this goes live first", type="flag"
            ),
            FieldForm(key="stays", label="Who leaves the segment leaves this too", type="flag"),
            _AGAIN,
            *_RULES,
        ),
    ),
    KindForm(
        kind="event",
        label="by an event",
        does="Everybody whom it happens to.",
        title="{event}",
        fields=(
            EVENT,
            FieldForm(
                key="where",
                label="Only if the event says",
                type="where",
                optional=True,
            ),
            replace(
                _AGAIN,
                either=(_AGAIN.either[0], Option("each", "for each event"), *_AGAIN.either[1:]),
            ),
            FieldForm(
                key="key",
                label="Once for each",
                type="text",
                optional=True,
                hint="The property that tells one appointment or order from another.",
            ),
            FieldForm(
                key="date",
                label="Its date stands in",
                type="text",
                optional=True,
                after="key",
                hint="The property with the moment of the appointment.",
            ),
            FieldForm(
                key="moved",
                label="It is moved by",
                type="names",
                options="events",
                optional=True,
                after="key",
            ),
            *_RULES,
        ),
    ),
    KindForm(
        kind="form",
        label="by a form",
        does="Everybody who completes it: a sign-up that was confirmed, a form that was signed.",
        title="Completes {form}",
        fields=(
            FieldForm(key="form", label="Form", type="choice", options="forms"),
            replace(
                _AGAIN,
                either=(_AGAIN.either[0], Option("each", "each time"), *_AGAIN.either[1:]),
            ),
            *_RULES,
        ),
    ),
    KindForm(
        kind="date",
        label="by a date of theirs",
        does="Everybody whose date it is, or who is so many days before or after it: a birthday, "
        "the end of a coverage, the last visit.",
        title="{before} {after} {field}",
        fields=(
            FieldForm(key="field", label="Date", type="choice", options="dates"),
            FieldForm(
                key="before",
                label="So long before it",
                type="duration",
                optional=True,
                hint="Whole days.",
            ),
            FieldForm(key="after", label="So long after it", type="duration", optional=True),
            FieldForm(key="at", label="At", type="clock", hint="On the clinic's clock."),
            FieldForm(
                key="yearly",
                label="Every year, on its anniversary",
                type="flag",
                optional=True,
            ),
            *_RULES,
        ),
    ),
    KindForm(
        kind="schedule",
        label="by a schedule",
        does="Everybody in a segment, again and again, on the clinic's clock.",
        title="By schedule: {segment}, from {first}",
        fields=(
            FieldForm(key="segment", label="Segment", type="choice", options="segments"),
            FieldForm(key="first", label="From", type="moment"),
            FieldForm(
                key="rule",
                label="Comes again",
                type="text",
                options="rules",
                hint="A rule of calendars (RFC 5545).",
            ),
            replace(_AGAIN, either=(_AGAIN.either[0], Option("each", "each time"))),
            *_RULES,
        ),
    ),
    KindForm(
        kind="api",
        label="by an API call or another workflow",
        does="Whom a call names, or another workflow's end sends here.",
        title="Enrolled by an API call",
        fields=_RULES,
    ),
)
