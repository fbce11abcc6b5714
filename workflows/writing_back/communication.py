"""What was told, as a FHIR R4 Communication (HD-16). No words of the message stand in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflows.writing_back import Told

CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
MODE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
IDENTIFIER = "urn:attune:write-back"
CONTACT = "urn:attune:contact"
REASON = "urn:attune:refusal"
STATUS = {
    "sent": "completed",
    "refused": "not-done",
    "cancelled": "not-done",
    "failed": "not-done",
    "unknown": "unknown",
}
"""event-status, by what became of the message."""
MEDIUM = {"email": ("EMAILWRIT", "email"), "sms": ("SMSWRIT", "SMS message")}


def resource(told: Told, numbers: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """Return the resource. `numbers` are the person's record numbers as (system, number)."""
    person = {"identifier": {"system": CONTACT, "value": str(told.public_id)}}
    held: dict[str, Any] = {
        "resourceType": "Communication",
        "id": str(told.key),
        "meta": {"versionId": "1", "lastUpdated": told.written_at.isoformat()},
        "identifier": [{"system": IDENTIFIER, "value": str(told.key)}],
        "status": status(told),
        "category": [{"coding": [{"system": CATEGORY, "code": "notification"}]}],
        "subject": person,
        "recipient": [person],
        "reasonCode": [{"text": told.event}],
    }
    if numbers:
        held["contained"] = [_patient(told, numbers)]
        held["subject"] = held["recipient"][0] = {"reference": "#patient"}
    if why := reason(told):
        held["statusReason"] = {"coding": [{"system": REASON, "code": why}]}
    if told.channel in MEDIUM:
        code, display = MEDIUM[told.channel]
        held["medium"] = [{"coding": [{"system": MODE, "code": code, "display": display}]}]
    sent = told.sent_at if told.about else told.written_at
    if sent is not None:
        held["sent"] = sent.isoformat()
    return held


def _patient(told: Told, numbers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    known = [{"system": system, "value": number} for system, number in numbers]
    ours = {"system": CONTACT, "value": str(told.public_id)}
    return {"resourceType": "Patient", "id": "patient", "identifier": [*known, ours]}


def status(told: Told) -> str:
    """Return the event-status; what is about no message is simply done."""
    if not told.about:
        return "completed"
    return STATUS.get(told.state or "", "not-done")


def reason(told: Told) -> str:
    """Return why the message was not sent, as a code; empty where it was, or about none."""
    if not told.about or status(told) == "completed":
        return ""
    if told.state is None:
        return "not_on_the_way"
    return (told.refusal_code or told.state).replace(".", "_")
