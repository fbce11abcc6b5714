"""Steps at which people wait: for a time, a date, an event."""

from __future__ import annotations

from marketing.web.canvas_forms.shape import ON, FieldForm, KindForm, Option, WayForm

WAIT = KindForm(
    kind="wait",
    label="Wait",
    does="Holds everybody for a time.",
    title="Wait {for}",
    fields=(FieldForm(key="for", label="For", type="duration"),),
    ways=ON,
)

UNTIL = KindForm(
    kind="until",
    label="Wait until",
    does="Holds everybody until a date, a time of day or a window.",
    title="{field} {object} {on} {before} {after} {at} {from} {to} {weekdays} {clock}",
    fields=(
        FieldForm(
            key="field",
            label="A date of the contact",
            type="choice",
            options="dates",
            optional=True,
            hint="Followed when it changes. Leave dates empty to wait for the clock alone.",
        ),
        FieldForm(
            key="object",
            label="The date of what people came in for, such as the appointment",
            type="flag",
            optional=True,
        ),
        FieldForm(key="on", label="A fixed date", type="moment", optional=True),
        FieldForm(key="before", label="So long before it", type="duration", optional=True),
        FieldForm(key="after", label="So long after it", type="duration", optional=True),
        FieldForm(key="at", label="At", type="clock", optional=True),
        FieldForm(
            key="from",
            label="Not before",
            type="clock",
            optional=True,
            hint="With “not after”, a window; it may cross midnight.",
        ),
        FieldForm(key="to", label="Not after", type="clock", optional=True),
        FieldForm(
            key="weekdays",
            label="Only on",
            type="weekdays",
            optional=True,
            hint="No day chosen means every day.",
        ),
        FieldForm(
            key="clock",
            label="By whose clock",
            type="pick",
            optional=True,
            either=(
                Option("contact", "in their local time"),
                Option("organisation", "in our time"),
            ),
            hint="Local is the time zone of the record, or that of the State; where neither is "
            "known, ours. In a State with two clocks, both must allow it.",
        ),
    ),
    ways=(WayForm("next", "then"), WayForm("late", "no date, or it is over", optional=True)),
)

WAIT_FOR = KindForm(
    kind="wait_for",
    label="Wait for an event",
    does="Holds everybody until it happens or becomes true, or until the time is over.",
    title="{event}{if}, up to {up_to}",
    fields=(
        FieldForm(
            key="event",
            label="Event",
            type="text",
            options="events",
            optional=True,
            hint="An event, or below it a condition: one of the two.",
        ),
        FieldForm(
            key="if",
            label="Until true",
            type="condition",
            options="segments",
            optional=True,
        ),
        FieldForm(
            key="of",
            label="About the message of",
            type="message",
            optional=True,
            hint="For opens and clicks: which of the messages before this step.",
        ),
        FieldForm(key="up_to", label="Up to", type="duration"),
    ),
    ways=(WayForm("heard", "yes, in time"), WayForm("unheard", "no, time over")),
)
