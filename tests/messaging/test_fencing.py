"""After a restored backup nothing goes before a person says so."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import tenancy
from accounts.models import Organisation
from messaging import claims
from messaging.models import Message, Tally
from messaging.pools import (
    fencing,
    guarding,
)
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import Enqueue
from tests.messaging.pools import send, states


def test_a_database_older_than_its_mails_sends_nothing(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """Pain 9: what the restored database believes to be waiting went out already."""
    enqueue([ada])
    drawn = fencing._database()[1]
    fencing.keep(drawn + 1)
    assert fencing.check(now=NOON)
    assert claims.claim(limit=10, now=NOON).granted == ()
    assert (send(memory).sent, states()) == (0, ["queued"])


def test_without_the_file_nothing_is_sent_either(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    send(memory)
    assert not fencing.check(now=NOON)
    fencing._path().unlink()
    assert fencing.check(now=NOON)


def test_lifting_the_fence_settles_what_the_log_has(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    enqueue([ada], step="other")
    first = Message.objects.order_by("id").first()
    assert first is not None
    fencing.keep(fencing._database()[1] + 1)
    fencing.check(now=NOON)
    log = {f"<{first.public_id.hex}@h.example>", f"<{'0' * 32}@h.example>", "<x@elsewhere>"}
    found = fencing.difference(log, domains={"h.example"})
    assert (found.waiting, found.foreign) == ((first.pk,), 1)
    fencing.lift(found, now=NOON)
    assert not fencing.check(now=NOON)
    assert send(memory).sent == 1
    assert states() == ["sent", "sent"]


def test_a_fence_is_put_up_for_every_organisation(
    committed_db: OwnDatabase, at_harbor: Organisation, hill: Organisation
) -> None:
    fencing.keep(fencing._database()[1] + 1)
    fencing.check(now=NOON)
    with tenancy.acting_for(hill.pk):
        assert fencing.fence() is not None


def test_tallies_are_forgotten_after_forty_days(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    send(memory)
    guarding.sweep(now=NOON + timedelta(days=41))
    assert not Tally.objects.exists()


def test_the_command_shows_the_difference_and_lets_sending_go_on(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, tmp_path: Path
) -> None:
    """Pain 9"""
    enqueue([ada])
    row = Message.objects.get()
    log = tmp_path / "mail.log"
    address = f"{row.public_id.hex}@localhost.localdomain"
    log.write_text(f"postfix/cleanup[1]: A1: message-id=<{address}>\n")
    fencing.keep(fencing._database()[1] + 1)
    said = StringIO()
    call_command("sending_fence", "harbor", log=[log], stdout=said)
    assert "Sending is stopped after a restore." in said.getvalue()
    assert "1 messages wait here that the logs have" in said.getvalue()
    assert states() == ["queued"]
    call_command("sending_fence", "harbor", log=[log], go_on=True, stdout=said)
    assert states() == ["sent"]
    with pytest.raises(CommandError, match="Nothing is stopped"):
        call_command("sending_fence", "harbor", go_on=True, stdout=said)
