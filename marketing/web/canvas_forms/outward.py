"""Steps that tell other systems, and what comes of it."""

from __future__ import annotations

from marketing.web.canvas_forms.shape import ON, FieldForm, KindForm, WayForm
from workflows.steps import MOST_WAYS

WEBHOOK = KindForm(
    kind="webhook",
    label="Call another system",
    does="Calls an endpoint from Settings with fields of the contact; its answer decides the way.",
    title="Call {endpoint}",
    fields=(
        FieldForm(key="endpoint", label="Endpoint", type="choice", options="endpoints"),
        FieldForm(
            key="fields",
            label="Tell it",
            type="names",
            options="fields",
            optional=True,
            hint="Names of fields with commas. The endpoint's settings say what it may be told.",
        ),
        FieldForm(
            key="up_to",
            label="Try for at most",
            type="duration",
            hint="Calls that get no answer are made again, more and more rarely, until then.",
        ),
        FieldForm(
            key="write",
            label="Keep from the answer",
            type="values",
            options="fields",
            optional=True,
            hint="For each field its place in the answer, such as /plan/name.",
        ),
        *(
            FieldForm(
                key=f"reply{number}",
                label=f"Reply {number}",
                type="reply",
                optional=True,
                after=f"reply{number - 1}" if number > 1 else "",
            )
            for number in range(1, MOST_WAYS + 1)
        ),
    ),
    ways=(
        *(
            WayForm(f"then{number}", f"reply {number}", optional=True, after=f"reply{number}")
            for number in range(1, MOST_WAYS + 1)
        ),
        WayForm("answered", "any other good answer"),
        WayForm("failed", "no good answer"),
    ),
)

WRITE_BACK = KindForm(
    kind="write_back",
    label="Tell the record of care",
    does="Puts an event into the feed that your EHR or CRM reads.",
    title="Tell the record: {event}",
    fields=(
        FieldForm(
            key="event",
            label="What",
            type="text",
            options="told",
            hint="A name that the other system knows, such as outreach.completed.",
        ),
        FieldForm(
            key="about",
            label="About the message of",
            type="message",
            optional=True,
            hint="Then it is told whether that message was sent, and if not, why.",
        ),
    ),
    ways=ON,
)
