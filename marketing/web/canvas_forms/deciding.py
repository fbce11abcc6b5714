"""Steps that send people one way or another."""

from __future__ import annotations

from marketing.web.canvas_forms.shape import EVENT, FieldForm, KindForm, Option, WayForm
from workflows.steps import MOST_WAYS

BRANCH = KindForm(
    kind="branch",
    label="Branch",
    does="Sends people one way or the other.",
    title="{if}",
    fields=(FieldForm(key="if", label="Asks", type="condition"),),
    ways=(WayForm("yes", "yes"), WayForm("no", "no")),
)

CHOOSE = KindForm(
    kind="choose",
    label="Choose a way",
    does="Asks in order; the first yes decides, and the last way takes everybody else.",
    title="{if1} {if2} {if3} {if4} {if5} {if6} {if7} {if8}",
    fields=tuple(
        FieldForm(
            key=f"if{number}",
            label=f"Case {number} asks",
            type="condition",
            optional=number > 1,
            after=f"if{number - 1}" if number > 1 else "",
        )
        for number in range(1, MOST_WAYS + 1)
    ),
    ways=(
        *(
            WayForm(
                f"then{number}",
                f"case {number}",
                optional=number > 1,
                after=f"if{number}" if number > 1 else "",
            )
            for number in range(1, MOST_WAYS + 1)
        ),
        WayForm("other", "none of these"),
    ),
)

SPLIT = KindForm(
    kind="split",
    label="Split by lot",
    does="Sends people on at random, in these proportions; each keeps the lot once drawn.",
    title=f"Lot {{weight1}} : {' '.join(f'{{weight{n}}}' for n in range(2, MOST_WAYS + 1))}",
    fields=(
        *(
            FieldForm(
                key=f"weight{number}",
                label=f"Share of arm {number}",
                type="number",
                optional=number > 2,
                after=f"weight{number - 1}" if number > 2 else "",
            )
            for number in range(1, MOST_WAYS + 1)
        ),
        FieldForm(
            key="hold_out",
            label="Compared against",
            type="pick",
            optional=True,
            hint="The arm that is held out, to measure what the others bring.",
            either=tuple(
                Option(f"arm{number}", f"Arm {number}") for number in range(1, MOST_WAYS + 1)
            ),
        ),
        FieldForm(
            key="won_by",
            label="The arm wins in which more people have",
            type="text",
            options="events",
            optional=True,
            hint="Who comes later then goes the way of the winner. Without a difference beyond "
            "chance no arm wins, and the lots go on.",
        ),
        FieldForm(
            key="won_within",
            label="Within so long of the lot",
            type="duration",
            optional=True,
            after="won_by",
        ),
        FieldForm(
            key="decided_after",
            label="Decided so long after it goes live",
            type="duration",
            optional=True,
            after="won_by",
        ),
    ),
    ways=tuple(
        WayForm(
            f"arm{number}",
            f"arm {number}",
            optional=number > 2,
            after=f"weight{number}" if number > 2 else "",
        )
        for number in range(1, MOST_WAYS + 1)
    ),
)

GOAL = KindForm(
    kind="goal",
    label="Goal",
    does="Reached from anywhere, as soon as the event is heard. Lead no way to it.",
    title="{event}: {then}",
    fields=(
        EVENT,
        FieldForm(
            key="segment",
            label="About the segment",
            type="choice",
            options="segments",
            optional=True,
            hint="For entering and leaving segments.",
        ),
        FieldForm(
            key="then",
            label="Who reaches it",
            type="pick",
            either=(
                Option("exit", "leaves"),
                Option("jump", "goes on from here"),
                Option("count", "is counted and stays"),
            ),
        ),
    ),
    ways=(WayForm("next", "goes on to", optional=True),),
)
