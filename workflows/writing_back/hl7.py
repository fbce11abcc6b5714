"""What was told, as an HL7 v2.5.1 message, and what the answer to one means (HD-01, HD-10). Pure.

MDM^T02 is a note for the chart (chapter 9), ORU^R01 a result in the inbox (chapter 7). The text is
what the feed says, in a sentence: the event, and what became of the message. No words of the
message stand in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from workflows.writing_back import Told
from workflows.writing_back.communication import reason, status

TYPE = "application/hl7-v2; charset=utf-8"
"""The media type of HL7 over HTTP (https://hapifhir.github.io/hapi-hl7v2/hapi-hl7overhttp/)."""
MDM, ORU = ("MDM", "T02", "MDM_T02"), ("ORU", "R01", "ORU_R01")
OURS = "ATTUNE"
_ESCAPED = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_SAID = {"completed": "The message was sent", "unknown": "Whether the message went out is unknown"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who receives: MSH-5 and MSH-6, and the type of document there (TXA-2, table 0270)."""

    application: str = ""
    facility: str = ""
    document: str = ""


class Answer(StrEnum):
    """MSA-1, table 0008; those of the enhanced mode mean the same here."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


def number(told: Told) -> str:
    """Return MSH-10: the same for every attempt, and no longer than its 20 characters."""
    return told.key.hex[:20]


def message(
    told: Told,
    kind: tuple[str, str, str],
    envelope: Envelope,
    person: Mapping[str, Any],
    numbers: Sequence[tuple[str, str]],
    *,
    now: datetime,
) -> str:
    """Return the message, its segments ended by CR."""
    head = [
        f"MSH|^~\\&|{OURS}||{_text(envelope.application)}|{_text(envelope.facility)}|{_time(now)}"
        f"||{'^'.join(kind)}|{number(told)}|P|2.5.1||||||UNICODE UTF-8",
    ]
    body = _note(told, envelope) if kind == MDM else _result(told)
    opened = [f"EVN||{_time(told.written_at)}"] if kind == MDM else []
    segments = [*head, *opened, _patient(told, person, numbers), "PV1|1|N", *body, _sentence(told)]
    return "".join(f"{one}\r" for one in segments)


def _patient(told: Told, person: Mapping[str, Any], numbers: Sequence[tuple[str, str]]) -> str:
    known = [f"{_text(value)}^^^{_text(source)}^MR" for source, value in numbers]
    known.append(f"{told.public_id}^^^{OURS}^PI")
    name = f"{_text(person.get('family_name'))}^{_text(person.get('given_name'))}"
    return f"PID|1||{'~'.join(known)}||{name}"


def _note(told: Told, envelope: Envelope) -> list[str]:
    """TXA: a text, documented, available, by its own number."""
    at = _time(told.written_at)
    numbered = f"{told.key}^{OURS}"
    return [f"TXA|1|{_text(envelope.document)}|TX|{at}||{at}||||||{numbered}|||||DO||AV"]


def _result(told: Told) -> list[str]:
    at, event = _time(told.written_at), _text(told.event)
    numbered = f"{told.key}^{OURS}"
    return [f"OBR|1||{numbered}|{event}^{event}^L|||{at}|||||||||||||||{at}|||F"]


def _sentence(told: Told) -> str:
    event = _text(told.event)
    return f"OBX|1|TX|{event}^{event}^L||{_text(sentence(told))}||||||F"


def sentence(told: Told) -> str:
    """Return what is told, in words."""
    if not told.about:
        return f"{told.event}."
    said = _SAID.get(status(told), f"No message was sent: {reason(told).replace('_', ' ')}")
    way = f" by {told.channel}" if told.channel and status(told) == "completed" else ""
    at = f" on {told.sent_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if told.sent_at else ""
    return f"{told.event}. {said}{way}{at}."


def answer(raw: bytes, control: str) -> Answer | None:
    """Return what an acknowledgement says of the message with this number; None if it is none."""
    segments = raw.decode("utf-8", "replace").strip("\x0b\x1c\r\n ").splitlines()
    if not segments or not segments[0].startswith("MSH") or len(segments[0]) < 8:
        return None
    between = segments[0][3]
    for segment in segments:
        parts = [part.strip() for part in segment.split(between)]
        if parts[0] == "MSA" and len(parts) > 2 and parts[2] == control and len(parts[1]) == 2:
            return next((one for one in Answer if one[1] == parts[1][1]), None)
    return None


def _text(value: object) -> str:
    """Escape what would end a field, and leave nothing that ends a segment."""
    written = "" if value is None else str(value)
    return "".join(
        _ESCAPED.get(one, one) if one >= " " and one != "\x7f" else " " for one in written
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
