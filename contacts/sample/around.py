"""What stands around the sample's patients: families, a namesake, a field, a segment, a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contacts import custom_fields, grouping, matching, records
from contacts.households import living, representing
from contacts.importing import accepting
from contacts.merge import proposing
from contacts.models import CodeGroup, ImportJob
from contacts.records import Change
from contacts.segments import catalogue

SITE = "Preferred site"
SITES = ("Downtown", "Harborside", "North End")
SEGMENT = "High blood pressure, no visit for half a year"
FILE = """record_number,given_name,family_name,birth_date,email,city
N-1001,Rosalind,Farrow,1971-04-09,rosalind.farrow@example.test,Boston
N-1002,Teodoro,Quill,1958-11-30,teodoro.quill@example.test,Quincy
N-1003,Imogen,Stace,1990-02-17,imogen.stace@example.test,Salem
N-1004,Bartholomew,Ness,1966-06-31,bart.ness@example.test,Boston
"""


def add_site_field(*, now: datetime) -> str:
    """Add the clinic's own field and return its key."""
    made = custom_fields.add(
        label=SITE, type_="choice", data_class="demographic", labels=[],
        choices=SITES, now=now,
    )  # fmt: skip
    return str(made.key)


def live_together(families: Sequence[tuple[Change, Change]], *, now: datetime) -> None:
    """Let children share a household with a grown-up, who may act for them."""
    for child, parent in families:
        one, other = _id_of(child), _id_of(parent)
        living.join([one, other], now=now)
        representing.appoint(
            one, kind="guardian", name=_name(parent), holder_id=other, source="sample-ehr",
            authority="Mother or father; birth certificate seen at registration.", now=now,
        )  # fmt: skip


def know_twice(change: Change | None, *, now: datetime) -> None:
    """Let the laboratory know somebody under a number of its own, and propose to merge both."""
    if change is None:
        return
    same = {name: change.values[name] for name in ("given_name", "family_name", "birth_date")}
    twin = Change(source="sample-lab", record_number="LAB-7731", values=same)
    known = records.upsert([twin], now=now).contact_ids[0]
    proposing.propose([(_id_of(change), known)], reason="same_name_and_birth", now=now)


def ask_by_group(*, now: datetime) -> None:
    """Keep a segment that asks by a code group, and one that a newcomer can open and change."""
    grouping.add_starters(now=now)
    group = CodeGroup.objects.get(starter="hypertension", archived_at=None)
    unseen = {"field": "last_visit", "op": "older_than", "value": 6, "unit": "months"}
    pressure = {"field": "conditions", "op": "has_code", "group": str(group.pk)}
    catalogue.save(name=SEGMENT, tree={"all": [pressure, unseen]}, now=now)


def bring_file(*, now: datetime) -> None:
    """Leave a file for the loop of imports: three people, and one whose date is none."""
    accepting.accept(
        [FILE.encode()],
        name="newsletter-sign-ups.csv",
        source="sample-newsletter",
        now=now,
        after=ImportJob.After.RUN,
        choice={"dates": "iso"},
    )


def _id_of(change: Change) -> int:
    """Return the contact of a patient stored a moment ago."""
    found = matching.ids_by_number([(change.source, change.record_number)])[0]
    if found is None:
        raise LookupError("the sample's patient is not there")
    return found


def _name(change: Change) -> str:
    return f"{change.values['given_name']} {change.values['family_name']}"
