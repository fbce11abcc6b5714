"""A template's own conditions: `when.newly_diagnosed`, in the segment language.

They are kept with each version, and asked for a whole batch of people at once when it is sent.
What a condition reads counts among what the mail says: a paragraph that only people with diabetes
get says that they have it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from accounts import tenancy
from contacts.segments import approvals, catalogue, evaluate, references
from contacts.segments.definition import Definition, DefinitionInvalid
from contacts.segments.models import Segment
from contacts.segments.reading import Problem as Fault
from contacts.segments.words import in_words
from crypto import blind_index
from messaging.making.flow import Asked
from messaging.sandbox import Problem

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST = 20


def resolved(tree: Mapping[str, Any]) -> Definition:
    """Return the conditions with every segment put in; DefinitionInvalid where one is broken."""
    return catalogue.expanded(catalogue.read(tree))


def usable(tree: Mapping[str, Any]) -> Definition:
    """The same, refused too where a sensitive label is read that no second person approved."""
    definition = resolved(tree)
    if not references.labels(definition):
        return definition
    named = tree.get("segment") if len(tree) == 1 else None
    if named is None:
        raise DefinitionInvalid([Fault("$", _SAVE_IT)])
    segment = Segment.objects.filter(pk=named).first()
    why = approvals.why_not(segment) if segment is not None else "is gone"
    if why:
        raise DefinitionInvalid([Fault("$.segment", why)])
    return definition


_SAVE_IT = "reads a sensitive label: save it as a segment and have a second person approve that"


def read(stored: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Asked], list[Problem]]:
    """Return what each condition reads and says, and what is wrong with those that cannot be."""
    known: dict[str, Asked] = {}
    problems: list[Problem] = []
    for number, (name, said) in enumerate(stored.items(), start=1):
        try:
            definition = usable(said["definition"])
        except DefinitionInvalid as invalid:
            problems += [
                Problem(
                    "conditions", number, f"{said.get('label', name)}: {one.path} {one.message}."
                )
                for one in invalid.problems
            ]
            continue
        known[name] = Asked(
            said.get("label", name),
            references.fields_read(definition),
            frozenset(kind.value for kind in references.data_classes(definition)),
            mark(said["definition"]),
        )
    return known, problems


def mark(tree: Mapping[str, Any]) -> str:
    """Return a keyed hash of a definition. It goes into the hash of the content, which stands in
    the clear: by a plain one, whoever holds a dump could try definitions out."""
    said = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return blind_index.token(tenancy.current(), "template_condition", said).hex()


def explained(tree: Mapping[str, Any]) -> str:
    """Return a condition in words."""
    return str(in_words(catalogue.read(tree)))


def among(
    stored: Mapping[str, Mapping[str, Any]], contact_ids: Collection[int], *, now: datetime
) -> dict[str, set[int]]:
    """Return, for each condition, for whom of these people it holds: a question a batch, not one a
    person. DefinitionInvalid where a condition broke since the version was made."""
    return {
        name: evaluate.among(usable(said["definition"]), contact_ids, now=now)
        for name, said in stored.items()
    }
