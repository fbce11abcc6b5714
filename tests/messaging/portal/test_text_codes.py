"""The code by text message, where a mobile was verified: the link and the code then part ways."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from django.utils import timezone
from django.utils.timezone import now as wall_clock

from consent import ledger
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from messaging import sender
from messaging.models import Message, Pickup
from messaging.pools import facts
from messaging.portal import carriers, codes
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.portal.conftest import Visitor
from tests.messaging.texts.conftest import ADA, Line, carried, line  # noqa: F401


def mobile(contact_id: int, *, verified: bool = True) -> None:
    point = NewPoint(kind="phone", value=ADA, verified_by="staff" if verified else "")
    keeping.add(contact_id, point, source="desk", now=NOON)


def sent(who: Visitor) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", wall_clock)  # the gateway checks when a call was signed
        texts = sender.carrier(facts.of("texts"))
    assert texts is not None
    with closing(texts):
        return codes.send_due(carriers.usual(who.memory, texts=texts), now=who.clock.now)


def test_it_goes_to_the_verified_mobile_and_not_to_the_mailbox(
    ada_waits: Visitor,
    ada: int,
    carried: Line,  # noqa: F811
) -> None:
    mobile(ada)
    assert "by text message to the mobile number" in ada_waits.ask()
    assert sent(ada_waits) == 1
    assert ada_waits.memory.sent == []
    (said,) = carried.words(ADA)
    found = re.search(r"\b\d{6}\b", said)
    assert found and "Harbor Clinic" in said and "Ada" not in said
    assert ada_waits.say(found[0]).status_code == 303


def test_a_number_that_nobody_verified_gets_no_code(
    ada_waits: Visitor,
    ada: int,
    carried: Line,  # noqa: F811
) -> None:
    mobile(ada, verified=False)
    ada_waits.ask()
    assert Pickup.objects.get().code_by == "email"


def test_who_said_stop_to_texts_gets_it_by_mail(
    ada_waits: Visitor,
    ada: int,
    carried: Line,  # noqa: F811
) -> None:
    mobile(ada)
    ledger.opt_out(ada, channel="sms", received_by="keyword", now=NOON)
    ada_waits.ask()
    assert Pickup.objects.get().code_by == "email"


def test_pr22_no_code_goes_to_a_mobile_for_a_message_that_is_kept_from_it(
    ada_waits: Visitor,
    ada: int,
    carried: Line,  # noqa: F811
) -> None:
    """PR-22: by a label of what it says, not by its topic alone; a code tells that there is one."""
    mobile(ada)
    safe = NewPoint(
        kind="email", value="safe@elsewhere.example", categories=frozenset({"mental_health"})
    )
    keeping.add(ada, safe, source="desk", now=NOON)
    Message.objects.update(classes=["identity", "mental_health"])
    ada_waits.ask()
    assert Pickup.objects.get().code_by == "email"


@pytest.mark.parametrize("verified", [True, False])
def test_without_a_gateway_it_goes_by_mail(ada_waits: Visitor, ada: int, *, verified: bool) -> None:
    mobile(ada, verified=verified)
    ada_waits.ask()
    assert codes.send_due(carriers.usual(Memory()), now=ada_waits.clock.now) == 1
    assert Pickup.objects.get().code_by == "email"
