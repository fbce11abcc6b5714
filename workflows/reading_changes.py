"""Read the step that changes fields of a contact."""

from __future__ import annotations

import re

from workflows.reader import Reader
from workflows.steps import Step, Update

AMOUNT = re.compile(r"-?[0-9]{1,6}\Z")


def update(reader: Reader, node: str) -> Step:
    values, clear = reader.take("set"), reader.take("clear")
    values = {} if values is None else values
    clear = [] if clear is None else clear
    if not isinstance(values, dict):
        reader.problem(
            "bad_value", 'set is not usable: give fields with their values, {"plan": "A"}'
        )
        values = {}
    if not isinstance(clear, list) or not all(isinstance(one, str) for one in clear):
        reader.problem("bad_value", "clear is not usable: give a list of field names")
        clear = []
    add = _added(reader)
    if not values and not clear and not add:
        reader.problem("missing", "the step changes nothing: give set, clear, or add")
    if add.keys() & {*values, *clear}:
        reader.problem("bad_value", "a field is set or cleared, or added to: not both")
    return Update(id=node, next=reader.way("next"), values=values, clear=tuple(clear), add=add)


def _added(reader: Reader) -> dict[str, int]:
    """A whole number, or one written as text: the editor's fields hold texts."""
    value = reader.take("add")
    if value is None:
        return {}
    held = value if isinstance(value, dict) else {}
    found = {key: int(one) for key, one in held.items() if AMOUNT.match(str(one))}
    if len(found) != len(held) or not found or not all(found.values()):
        reader.missing("add", value, 'numbers with what is added to them, {"score": 5}')
        return {}
    return found
