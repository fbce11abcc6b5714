"""Small FHIR resources for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_ROOT = Path(__file__).parents[2]
DATA = next(
    (found for up in _ROOT.parents[:2] if (found := up / "shared" / "data").is_dir()),
    _ROOT / "no-published-data",
)
"""Published FHIR and CSV samples, where they lie beside the checkout; they are not part of it."""


def patient(number: str = "1", **more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [
            {"type": {"coding": [{"code": "MR"}]}, "system": "urn:hospital", "value": number}
        ],
        "name": [{"family": "Lovelace", "given": ["Ada"]}],
        "birthDate": "1961-02-03",
        **more,
    }


def condition(number: str = "1", **more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]},
        "subject": {"reference": f"Patient/p{number}"},
        "onsetDateTime": "2011-04-01",
        **more,
    }


def bundle(*resources: Json, kind: str = "collection") -> Json:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": resource} for resource in resources],
    }


def written(path: Path, *objects: Json) -> Path:
    """Write the objects as NDJSON."""
    path.write_text("\n".join(json.dumps(one) for one in objects))
    return path
