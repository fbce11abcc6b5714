"""The non-delivery protocol: the cause, no resend by itself, verified otherwise, sent again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from audit.models import Entry
from contacts.models import Contact
from messaging import attachments, dispatch
from messaging.attachments import Given
from messaging.models import Attachment, Message, TemplateVersion, Undelivered
from messaging.protect import Onward
from messaging.transports.base import Fate, Outcome
from messaging.transports.memory import Memory
from messaging.undelivered import cases
from tests.api.conftest import Machine, problem
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, approved, person, template

SignedIn = Callable[[User], Client]
CLINICAL = frozenset({"clinical"})


def send(memory: Memory, *, after: timedelta = timedelta()) -> dispatch.Dispatched:
    return dispatch.run_once(transport=memory, now=NOON + after, onward=Onward.ENFORCED)


def saying(fate: Fate, reply: str) -> Memory:
    return Memory(answer=lambda mail: Outcome(mail.number, fate, reply))


@pytest.fixture
def undelivered(enqueue: Enqueue, ada: int) -> Undelivered:
    """An explanation that nobody was there to take."""
    enqueue([ada], path_classes=CLINICAL)
    send(saying(Fate.REJECTED, "550 5.1.1"))
    return Undelivered.objects.get()


def test_what_says_something_of_a_person_and_bounces_opens_a_case(undelivered: Undelivered) -> None:
    """EM-29, CA-46: the cause is kept, never the server's words."""
    assert (undelivered.cause, undelivered.closed_at) == ("550 5.1.1", None)
    entry = Entry.objects.get(action="message.undelivered")
    assert json.loads(entry.detail) == {"cause": "550.5.1.1"}


def test_a_bounce_that_comes_later_opens_a_case_too(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """EM-29"""
    from messaging.hearing import intake
    from tests.messaging.test_bounces import report

    enqueue([ada], path_classes=CLINICAL)
    send(memory)
    row = Message.objects.get()
    envelope = f"Original-Envelope-Id: {row.public_id.hex}".encode()
    raw = report("5.1.1", "550 5.1.1 Unknown").replace(
        b"Reporting-MTA:", envelope + b"\r\nReporting-MTA:", 1
    )
    assert intake.take(raw, source="api", now=NOON).matched
    assert Undelivered.objects.get().message_id == row.pk


def test_what_says_nothing_of_a_person_opens_none(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada])
    send(saying(Fate.REJECTED, "550 5.1.1"))
    assert not Undelivered.objects.exists()


def test_a_second_try_never_follows_to_a_changed_address(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """EM-29: nothing goes to the new address until somebody verified it."""
    enqueue([ada], path_classes=CLINICAL)
    send(saying(Fate.DEFERRED, "451 4.2.1"))
    person("ada", email="ada@new.example")
    send(memory, after=timedelta(minutes=3))
    row = Message.objects.get()
    assert (row.state, row.refusal_code, memory.sent) == ("failed", "address_changed", [])
    assert Undelivered.objects.get().cause == "address_changed"


def test_a_first_try_goes_to_the_address_that_stands_then(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada], path_classes=CLINICAL)
    person("ada", email="ada@new.example")
    send(memory)
    assert [mail.recipient for mail in memory.sent] == ["ada@new.example"]


def test_it_goes_again_once_the_address_is_verified(
    undelivered: Undelivered, ada: int, memory: Memory
) -> None:
    """EM-29, CA-46"""
    person("ada", email="ada@new.example")
    made = cases.resend(undelivered.pk, channel="phone", now=NOON)
    assert send(memory).sent == 1
    assert [mail.recipient for mail in memory.sent] == ["ada@new.example"]
    undelivered.refresh_from_db()
    assert (undelivered.outcome, undelivered.channel) == ("resent", "phone")
    assert undelivered.resent_as == made.message_id
    assert undelivered.verified_by
    verified = Entry.objects.get(action="message.address_verified")
    assert json.loads(verified.detail) == {"channel": "phone"}


def test_without_a_channel_nothing_goes_again(undelivered: Undelivered) -> None:
    """EM-29"""
    with pytest.raises(cases.NotVerified):
        cases.resend(undelivered.pk, channel="", now=NOON)


def test_it_goes_again_once_only(undelivered: Undelivered) -> None:
    person("ada", email="ada@new.example")
    cases.resend(undelivered.pk, channel="phone", now=NOON)
    with pytest.raises(cases.NotOpen):
        cases.resend(undelivered.pk, channel="phone", now=NOON)


def test_the_gate_is_asked_for_what_goes_again(undelivered: Undelivered, ada: int) -> None:
    """The address is suppressed and nobody gave a better one."""
    assert cases.resend(undelivered.pk, channel="phone", now=NOON).state == "refused"


# The page


def test_the_page_shows_the_cause_and_sends_again(
    undelivered: Undelivered, harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    """CA-46"""
    person("ada", email="ada@new.example")
    client = sign_in_as(mara)
    page = client.get("/delivery/undelivered/").content.decode()
    assert "550 5.1.1" in page
    assert "not for your role" in page  # the message is clinical, and a marketer may not know
    assert "ada@" not in page.lower()
    client.post(f"/delivery/undelivered/{undelivered.pk}/resend/", {"channel": ""})
    assert Message.objects.count() == 1
    client.post(f"/delivery/undelivered/{undelivered.pk}/resend/", {"channel": "phone"})
    assert Message.objects.count() == 2
    assert "Mara Lind" in client.get("/delivery/undelivered/").content.decode()


def test_it_is_settled_by_other_means(
    undelivered: Undelivered, mara: User, sign_in_as: SignedIn
) -> None:
    """CA-46"""
    client = sign_in_as(mara)
    client.post(f"/delivery/undelivered/{undelivered.pk}/close/", {"outcome": "other_means"})
    undelivered.refresh_from_db()
    assert undelivered.outcome == "other_means"


def test_who_may_not_send_may_not_send_again(
    undelivered: Undelivered, omar: User, ivy: User, sign_in_as: SignedIn
) -> None:
    path = f"/delivery/undelivered/{undelivered.pk}/resend/"
    assert sign_in_as(omar).post(path, {"channel": "phone"}).status_code == 403
    assert sign_in_as(ivy).post(path, {"channel": "phone"}).status_code == 403
    undelivered.refresh_from_db()
    assert undelivered.closed_at is None


# The API


@pytest.fixture
def statement(version: TemplateVersion) -> TemplateVersion:
    return approved(template("statement", purpose="payment", subject="Your statement"))


def body(contact_id: int, **changed: str) -> dict[str, str]:
    public_id = Contact.objects.get(pk=contact_id).public_id
    return {"contact": str(public_id), "template": "statement", "purpose": "payment"} | changed


def order(machine: Machine, given: dict[str, str], key: str = "claim-4711") -> Any:
    return machine.post("messages", given, **{"Idempotency-Key": key})


def test_a_machine_sends_one_message_and_reads_its_fate(
    machine: Machine,
    statement: TemplateVersion,
    ada: int,
    memory: Memory,
) -> None:
    """CA-43, CA-45"""
    answer = order(machine, body(ada))
    assert answer.status_code == 201
    made = answer.json()
    assert made["state"] == "queued"
    from django.utils import timezone

    dispatch.run_once(transport=memory, now=timezone.now(), onward=Onward.ENFORCED)
    fate = machine.get(f"messages/{made['id']}").json()
    assert (fate["state"], fate["route"], fate["reply"]) == ("sent", "mail", "250")


def test_the_same_key_never_makes_a_second_message(
    machine: Machine,
    statement: TemplateVersion,
    ada: int,
) -> None:
    """EM-10"""
    first, second = order(machine, body(ada)), order(machine, body(ada))
    assert first.json()["id"] == second.json()["id"]
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"purpose": "marketing"}, "/purpose"),
        ({"template": "unknown"}, "/template"),
        ({"contact": "0199f0a0-0000-7000-8000-000000000001"}, "/contact"),
        ({"not_after": "2020-01-01T00:00:00Z"}, "/not_after"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_sent(
    machine: Machine,
    statement: TemplateVersion,
    ada: int,
    changed: dict[str, str],
    pointer: str,
) -> None:
    answer = order(machine, body(ada, **changed))
    faults = problem(answer, 422, "invalid")["errors"]
    assert [one["pointer"] for one in faults] == [pointer]
    assert not Message.objects.exists()


def test_without_a_key_of_its_own_nothing_is_sent(
    machine: Machine,
    statement: TemplateVersion,
    ada: int,
) -> None:
    problem(machine.post("messages", body(ada)), 400, "invalid")


def test_who_was_never_asked_gets_no_marketing_by_machine_either(
    machine: Machine,
    version: TemplateVersion,
    cleo: int,
) -> None:
    answer = order(machine, body(cleo, template="news", purpose="marketing")).json()
    assert answer["state"] == "refused"
    assert answer["why"]


def test_a_machine_sends_again_with_verified_by(
    undelivered: Undelivered,
    machine: Machine,
) -> None:
    """EM-29"""
    person("ada", email="ada@new.example")
    public_id = undelivered.message.public_id
    (row,) = machine.get("undelivered").json()["undelivered"]
    assert (row["message"], row["cause"]) == (str(public_id), "550 5.1.1")
    problem(machine.post(f"messages/{public_id}/resend", {}), 422, "invalid")
    answer = machine.post(f"messages/{public_id}/resend", {"verified_by": "phone"})
    assert (answer.status_code, answer.json()["state"]) == (201, "queued")
    again = machine.post(f"messages/{public_id}/resend", {"verified_by": "phone"})
    problem(again, 409, "conflict")
    assert machine.get("undelivered?open=false").json()["undelivered"][0]["outcome"] == "resent"


def test_a_stranger_finds_nothing_to_send_again(
    undelivered: Undelivered,
    stranger: Machine,
    hill: Organisation,
) -> None:
    path = f"messages/{undelivered.message.public_id}/resend"
    problem(stranger.post(path, {"verified_by": "phone"}), 404, "not-found")
    with tenancy.acting_for(hill.pk):
        assert not Undelivered.objects.exists()


def test_an_expired_authorization_stops_what_goes_again(undelivered: Undelivered, ada: int) -> None:
    person("ada", email="ada@new.example")
    later = NOON.replace(year=2031)
    assert date(2030, 1, 1) < later.date()
    assert cases.resend(undelivered.pk, channel="phone", now=later).state == "refused"


PDF = b"%PDF-1.7\nclaim 4711\n%%EOF\n"


def with_file(contact_id: int, **changed: Any) -> dict[str, Any]:
    file = {"name": "benefits.pdf", "content": base64.b64encode(PDF).decode()}
    given = {"attachments": [file], "attachments_say": ["coverage"]}
    return body(contact_id) | given | changed


def test_an_explanation_of_benefits_goes_with_its_file(
    machine: Machine, statement: TemplateVersion, ada: int
) -> None:
    """CA-43: sealed, and the message says what the file says."""
    assert order(machine, with_file(ada)).json()["state"] == "queued"
    row = Message.objects.get()
    (file,) = attachments.opened(attachments.of_message(row.pk))
    assert (file.name, "coverage" in row.classes) == ("benefits.pdf", True)
    whole = attachments.opened(Attachment.objects.all())
    assert whole[0].content == PDF


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"attachments": [{"name": "a.pdf", "content": "no base64"}]}, "/attachments"),
        ({"attachments": [{"name": "a.exe", "content": "TVqQAAMA//8="}]}, "/attachments"),
        ({"attachments_say": []}, "/attachments_say"),
    ],
)
def test_a_file_that_may_not_travel_leaves_nothing_behind(
    machine: Machine, statement: TemplateVersion, ada: int, changed: dict[str, Any], pointer: str
) -> None:
    faults = problem(order(machine, with_file(ada, **changed)), 422, "invalid")["errors"]
    assert [one["pointer"] for one in faults] == [pointer]
    assert not Message.objects.exists()


def test_the_file_goes_again_with_the_message(undelivered: Undelivered, ada: int) -> None:
    """EM-29"""
    Message.objects.update(state="queued")
    attachments.attach(undelivered.message_id, [Given("benefits.pdf", PDF)], now=NOON)
    Message.objects.update(state="failed")
    person("ada", email="ada@new.example")
    made = cases.resend(undelivered.pk, channel="letter", now=NOON)
    (file,) = attachments.opened(Attachment.objects.filter(message_id=made.message_id))
    assert file.content == PDF
