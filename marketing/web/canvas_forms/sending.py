"""Steps that reach somebody: the person, or staff."""

from __future__ import annotations

from marketing.web.canvas_forms.shape import FieldForm, KindForm, WayForm

SEND = KindForm(
    kind="send",
    label="Send a message",
    does="Asks the consent gate, then sends one approved message.",
    title="{template}",
    fields=(
        FieldForm(key="template", label="Message", type="choice", options="templates"),
        FieldForm(
            key="stale_after",
            label="Not later than",
            type="duration",
            optional=True,
            hint="A message that is not out by then is not sent. Two days unless said.",
        ),
    ),
    ways=(WayForm("next", "then"), WayForm("refused", "not permitted", optional=True)),
)

TASK = KindForm(
    kind="task",
    label="Ask staff",
    does="Opens a task for staff; what they say became of it decides the way.",
    title="Staff: {title}",
    fields=(
        FieldForm(
            key="title",
            label="What to do",
            type="text",
            hint="Whoever sees tasks reads this: name no condition and no person.",
        ),
        FieldForm(key="due", label="Within", type="duration"),
    ),
    ways=(
        WayForm("done", "done"),
        WayForm("failed", "not done"),
        WayForm("overdue", "time over"),
    ),
)
