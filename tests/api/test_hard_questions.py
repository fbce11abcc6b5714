"""The hard questions of the segment language over HTTP: refused ones say where and why."""

from __future__ import annotations

import json

from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation, Throttle
from contacts.segments import catalogue, evaluate
from tests.api.conftest import Machine
from tests.contacts.segments import world
from tests.contacts.segments.hard_events import ROWS
from tests.contacts.segments.hard_rows import EMPTY, REFUSED, WORDS


def test_what_cannot_be_asked_is_refused_with_its_place(
    machine: Machine, harbor: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        world.make_fields()
    answered = {}
    for row in ROWS:
        if row.answer != REFUSED or not is_json(row.asked):
            continue
        answer = machine.post("segments/preview", {"definition": row.asked})
        Throttle.objects.all().delete()
        said = answer.json()
        answered[row.name] = answer.status_code == 422 and all(
            one["pointer"].startswith("/definition") for one in said["errors"]
        )
    assert answered
    assert [name for name, well in answered.items() if not well] == []


def test_what_can_be_asked_is_counted(machine: Machine, harbor: Organisation) -> None:
    with tenancy.acting_for(harbor.pk):
        world.make_fields()
        world.add([{"city": "Straße"}, {}])
    for row in [*EMPTY, *WORDS]:
        if row.answer == REFUSED:
            continue
        answer = machine.post("segments/preview", {"definition": row.asked})
        with tenancy.acting_for(harbor.pk):
            Throttle.objects.all().delete()
            right = evaluate.members(catalogue.read(row.asked), now=timezone.now()).count
        assert answer.json()["total"] == right, row.name


def is_json(asked: object) -> bool:
    try:
        json.dumps(asked, allow_nan=False).encode()
    except ValueError:
        return False
    return True
