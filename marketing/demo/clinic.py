"""A clinic of the demo's own, and the patients that it gets from FHIR files."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from accounts import organisations
from accounts.models import Organisation
from contacts.importing.runs import Report
from contacts.sample import people
from contacts.sample.fhir import write_bundles
from marketing.intake import fhir_files

SEED = 1_976
INVENTED = 400
EMAIL_DOMAIN = "patients.example"


def found(*, origin: str, now: datetime) -> Organisation:
    """Make a clinic that no other run has; two demos never meet."""
    return organisations.found(
        "Demo Clinic",
        slug=f"demo-{now:%Y%m%d%H%M%S%f}",
        timezone="America/New_York",
        now=now,
        postal_address="200 Harbor Street\nBoston, MA 02210",
        mail_from="care@demo-clinic.example",
        web_origin=origin,
    )


def import_patients(paths: Sequence[Path], *, now: datetime) -> Report:
    """Import the files, or bundles that the generator writes where none are given."""
    if paths:
        return _imported(paths, now=now)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "invented.ndjson"
        write_bundles(written, people(SEED, INVENTED, now=now))
        return _imported([written], now=now)


def _imported(paths: Sequence[Path], *, now: datetime) -> Report:
    return fhir_files.import_files(paths, now=now, email_domain=EMAIL_DOMAIN)
