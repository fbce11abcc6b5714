"""Steps that change what is known of the contact, and the end of the way."""

from __future__ import annotations

from marketing.web.canvas_forms.shape import ON, FieldForm, KindForm, Option

UPDATE = KindForm(
    kind="update",
    label="Change the contact",
    does="Sets or clears fields that a workflow may change.",
    title="{set} {clear}",
    fields=(
        FieldForm(
            key="set",
            label="Set",
            type="values",
            options="fields",
            hint="Not identity, addresses or clinical facts: those come from their source.",
        ),
        FieldForm(
            key="add",
            label="Add to a number",
            type="values",
            options="numbers",
            optional=True,
            hint="A whole number for each, such as 5 for a score; below zero takes away.",
        ),
        FieldForm(
            key="clear",
            label="Clear",
            type="names",
            optional=True,
            hint="Names of fields, with commas.",
        ),
    ),
    ways=ON,
)

LIST = KindForm(
    kind="list",
    label="Change a list",
    does="Adds people to a list, or removes them.",
    title="{list}",
    fields=(
        FieldForm(
            key="list",
            label="List",
            type="either",
            options="lists",
            either=(Option("add", "Add to"), Option("remove", "Remove from")),
        ),
    ),
    ways=ON,
)

EXIT = KindForm(
    kind="exit",
    label="End",
    does="Ends the way, or sends people on to another workflow.",
    title="",
    fields=(
        FieldForm(
            key="enter",
            label="Go on to the workflow",
            type="choice",
            options="workflows",
            optional=True,
        ),
    ),
)
