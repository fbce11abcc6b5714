"""A group of events whose process or connection dies: it is written whole or not at all, once."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from contacts.models import Contact, EventKey
from marketing.api import events_together
from marketing.api.event_forms import Given
from tests.api.conftest import Machine
from tests.api.test_events import counted
from tests.conftest import NOON
from tests.workflows.faults.killing import killed_at_every_statement


def left(harbor: Organisation) -> set[int]:
    """Return the events, the keys and what the trail says was accepted; one number where whole."""
    with tenancy.acting_for(harbor.pk):
        entries = Entry.objects.filter(action="events.received")
        accepted = sum(json.loads(entry.detail)["accepted"] for entry in entries)
        return {counted(harbor), EventKey.objects.count(), accepted}


@pytest.mark.usefixtures("committed_db")
def test_a_group_killed_anywhere_is_written_whole_or_not_at_all(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """HD-02."""
    assert machine.key is not None
    asked = [
        events_together._Asked(
            machine.key,
            [Given(ada.public_id, "appointment.missed", NOON, f"visit-{number}")],
            timezone.now(),
        )
        for number in range(3)
    ]
    seen = [left(harbor)]
    seen += [
        left(harbor)
        for _ in killed_at_every_statement(
            lambda: events_together._write(asked), organisation=harbor.pk
        )
    ]
    assert left(harbor) == {3}
    assert seen[0] == {0}
    assert {3} in seen, "it was also killed after the end, where nobody was told"
    assert all(one in ({0}, {3}) for one in seen)


@pytest.mark.usefixtures("committed_db")
def test_after_the_server_hung_up_the_next_group_is_written(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    assert machine.key is not None
    given = Given(ada.public_id, "appointment.missed", NOON, "visit-1")
    asked = [events_together._Asked(machine.key, [given], timezone.now())]
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert events_together._write(asked) == [["accepted"]]
    assert left(harbor) == {1}
