"""What is dear to ask is asked last, of those only who are still in. Pure.

What an event carries is sealed with its person's key: to open it takes a hundred times as long as
to count it. Of a definition that is one `all`, the parts that rest on opened events alone wait
until the others have said who is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contacts.segments.nodes import All, Clause, Definition, Totalled, asked_of_events, walk_own


def apart(definition: Definition) -> tuple[Definition, list[Definition]]:
    """Return what to ask first, of everybody, and then, one after the other, what is dear.

    Nothing is dear where there would be nothing to ask first.
    """
    parts = list(_parts(definition.root))
    dear = [part for part in parts if _is_dear(part)]
    first = tuple(part for part in parts if part not in dear)
    if not dear or not first:
        return definition, []
    root = first[0] if len(first) == 1 else replace(definition.root, parts=first)  # type: ignore[call-arg]
    return replace(definition, root=root), [replace(definition, root=part) for part in dear]


def opens(clause: Clause) -> bool:
    """Whether events must be opened to answer this clause itself."""
    return isinstance(clause, Totalled) or any(such.where for such in asked_of_events(clause))


def _parts(clause: Clause) -> Iterator[Clause]:
    if isinstance(clause, All):
        for part in clause.parts:
            yield from _parts(part)
    else:
        yield clause


def _is_dear(part: Clause) -> bool:
    """It opens events and asks no field, so that it needs no column."""
    whole = list(walk_own(part))
    return any(map(opens, whole)) and not any(getattr(one, "field", "") for one in whole)
