from __future__ import annotations

from uuid import UUID

import pytest
from django.db import transaction

from audit.models import Entry
from consent import ledger
from messaging import outbox, versions
from messaging.models import Message
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, template


def test_who_agreed_is_queued_and_who_did_not_is_refused(
    enqueue: Enqueue, ada: int, ben: int, cleo: int
) -> None:
    assert [(one.state, one.refusal_code) for one in enqueue([ada, ben, cleo])] == [
        ("queued", ""),
        ("refused", "auth_revoked"),
        ("refused", "no_authorization"),
    ]


def test_the_row_keeps_the_permit_and_the_classes(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada], path_classes=frozenset({"clinical"}))
    row = Message.objects.get()
    assert row.permit is not None
    assert row.permit["basis"] == "authorization"
    assert row.permit["authorization"]
    assert row.classes == ["clinical", "identity"]


def test_the_path_counts_for_what_the_authorization_must_cover(enqueue: Enqueue, cleo: int) -> None:
    """W8: a mail without one merge field still says that only diabetics get it."""
    from tests.messaging.conftest import sign

    sign(cleo, classes=frozenset({"identity", "contact_point"}))
    (one,) = enqueue([cleo], path_classes=frozenset({"clinical"}))
    assert one.refusal_code == "phi_out_of_scope"


def test_the_same_order_twice_is_one_row(enqueue: Enqueue, ada: int) -> None:
    """EM-10"""
    assert enqueue([ada]) == enqueue([ada])
    assert Message.objects.count() == 1


def test_the_same_order_twice_in_one_call_is_one_row(enqueue: Enqueue, ada: int) -> None:
    first, second = enqueue([ada, ada])
    assert first == second


def test_a_refusal_stands_even_when_consent_comes_later(enqueue: Enqueue, cleo: int) -> None:
    from tests.messaging.conftest import sign

    enqueue([cleo])
    sign(cleo)
    assert enqueue([cleo])[0].state == "refused"


def test_another_step_is_another_message(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada], step="a")
    enqueue([ada], step="b")
    assert Message.objects.count() == 2


def test_a_rolled_back_fact_leaves_no_message(enqueue: Enqueue, ada: int) -> None:
    """W9"""
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue([ada])
        raise RuntimeError
    assert not Message.objects.exists()


def test_a_version_that_nobody_approved_is_not_sent(enqueue: Enqueue, ada: int) -> None:
    version = versions.save(template("raw"), now=NOON)
    (one,) = enqueue([ada], template_version=version.id)
    assert (one.state, one.refusal_code) == ("refused", "template_not_approved")


def test_an_unknown_version_is_an_error(enqueue: Enqueue, ada: int) -> None:
    with pytest.raises(outbox.VersionUnknown):
        enqueue([ada], template_version=UUID(int=1))


def test_an_opt_out_of_marketing_refuses(enqueue: Enqueue, ada: int) -> None:
    ledger.opt_out(ada, purpose="marketing", received_by="link", now=NOON)
    assert enqueue([ada])[0].refusal_code == "opted_out"


def test_refusals_are_in_the_trail(enqueue: Enqueue, ben: int) -> None:
    enqueue([ben])
    assert Entry.objects.filter(action="message.refused").count() == 1


def test_no_row_without_a_permit_is_queued(enqueue: Enqueue, ada: int, ben: int, cleo: int) -> None:
    """W7"""
    enqueue([ada, ben, cleo])
    assert not Message.objects.filter(state="queued", permit__isnull=True).exists()
    assert not Message.objects.filter(state="refused", permit__isnull=False).exists()
