"""What a form of the editor is made of: fields, ways on, and what a box says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal[
    "choice", "duration", "text", "flag", "again", "condition", "values", "names", "message",
    "either", "number", "clock", "moment", "weekdays", "pick", "where", "reply",
]  # fmt: skip


@dataclass(frozen=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class FieldForm:
    """One key of a step. `options` names the list to choose from or to be offered."""

    key: str
    label: str
    type: Type
    options: str = ""
    optional: bool = False
    hint: str = ""
    either: tuple[Option, ...] = ()
    after: str = ""
    """Shown once this other key is set: one case after the other."""


@dataclass(frozen=True)
class WayForm:
    key: str
    label: str
    optional: bool = False
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class KindForm:
    """A kind of step or trigger; `title` is what its box says, with fields in braces."""

    kind: str
    label: str
    does: str
    title: str = ""
    fields: tuple[FieldForm, ...] = ()
    ways: tuple[WayForm, ...] = ()


ON = (WayForm("next", "then"),)
EVENT = FieldForm(key="event", label="Event", type="text", options="events")
