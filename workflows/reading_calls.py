"""Read the step that calls another system, and what its answers mean."""

from __future__ import annotations

import re

from workflows.reader import FIELD, Reader
from workflows.steps import THENS, Reply, Step, Webhook

POINTER = re.compile(r"(/[^/\x00-\x1f]{1,60}){1,8}\Z")
"""A place in a JSON document (RFC 6901)."""
MOST_FIELDS = 40


def webhook(reader: Reader, node: str) -> Step:
    """Replies are numbered from 1 without a gap, and the first that fits decides."""
    replies, leads = [], {}
    for number, then in enumerate(THENS, start=1):
        if not reader.has(f"reply{number}") and not reader.has(then):
            break
        replies.append(_reply(reader, f"reply{number}"))
        leads[then] = reader.way(then)
    fields = reader.names("fields", pattern=FIELD, wanted='a list of fields such as ["plan"]')
    if len(fields) > MOST_FIELDS:
        reader.problem("bad_value", f"fields names more than {MOST_FIELDS}")
    return Webhook(
        id=node,
        endpoint=reader.id("endpoint"),
        patience=reader.duration("up_to"),
        fields=fields,
        replies=tuple(replies),
        writes=_writes(reader),
        answered=reader.way("answered"),
        failed=reader.way("failed"),
        **leads,
    )


def _reply(reader: Reader, key: str) -> Reply:
    value = reader.take(key)
    if not isinstance(value, dict) or not value:
        reader.missing(key, value, 'what the answer says, {"at": "/eligible", "is": true}')
        return Reply()
    inner = Reader(value, node=reader.node, problems=reader.problems)
    status = inner.count("status", most=599, optional=True)
    at, told = inner.take("at"), inner.take("is")
    if at is not None and not (isinstance(at, str) and POINTER.match(at)):
        inner.missing("at", at, "a place in the answer such as /plan/name")
        at = None
    if (at is None) != (told is None) or isinstance(told, list | dict):
        inner.problem("bad_value", f"{key}: at and is belong together, and is is one value")
        told = None
    if at is None and not status:
        inner.problem("missing", f"{key} asks nothing: give status, or at and is")
    inner.leftover()
    return Reply(status, at, told)


def _writes(reader: Reader) -> dict[str, str]:
    value = reader.take("write")
    if value is None:
        return {}
    good = isinstance(value, dict) and all(
        FIELD.match(key) and isinstance(at, str) and POINTER.match(at) for key, at in value.items()
    )
    if not good or len(value) > MOST_FIELDS:
        reader.missing("write", value, 'fields with places in the answer, {"plan": "/plan/name"}')
        return {}
    return dict(value)
