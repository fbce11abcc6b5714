"""Tell resources of other versions of FHIR, which look alike and mean other things. Pure.

Nothing in a resource names its version; a few elements have another form or name in each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marketing.intake.fhir_elements import Malformed

Resource = Mapping[str, Any]
_OLDER: Mapping[str, Callable[[Resource], bool]] = {
    "Condition": lambda one: isinstance(one.get("clinicalStatus"), str),
    "Encounter": lambda one: isinstance(one.get("class"), str),
    "Immunization": lambda one: "wasNotGiven" in one or "notGiven" in one,
    "Procedure": lambda one: "notDone" in one or "notPerformed" in one,
    "MedicationRequest": lambda one: "context" in one,
}
_NEWER: Mapping[str, Callable[[Resource], bool]] = {
    "Encounter": lambda one: isinstance(one.get("class"), list) or "actualPeriod" in one,
    "MedicationRequest": lambda one: "medication" in one,
    "Procedure": lambda one: any(name.startswith("occurrence") for name in one),
    "Immunization": lambda one: "informationSource" in one,
    "Appointment": lambda one: "subject" in one,
    "Coverage": lambda one: "insurer" in one or "paymentBy" in one,
}


def refuse_others(resource: Resource) -> None:
    """Raise Malformed where the resource is not R4, or says that it must not be read as it looks.

    A modifier extension may turn a resource's meaning around (R4, 2.4.0.1); whoever does not know
    it must not process the resource.
    """
    kind = resource.get("resourceType")
    if _has(_OLDER, kind, resource):
        raise Malformed("this is FHIR STU3 or older; export it as R4")
    if _has(_NEWER, kind, resource):
        raise Malformed("this is FHIR R5 or newer; export it as R4")
    if resource.get("modifierExtension"):
        raise Malformed("a modifier extension may turn its meaning around; export it without")


def _has(signs: Mapping[str, Callable[[Resource], bool]], kind: object, one: Resource) -> bool:
    return isinstance(kind, str) and kind in signs and signs[kind](one)
