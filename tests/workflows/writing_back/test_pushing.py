"""Receivers are told over a real line: in order, signed, again until they take it, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Disclosure, Entry
from contacts.models import Contact
from messaging import signed
from messaging.outside import Hosts
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import Draw, draw, go
from tests.workflows.webhooks.conftest import Receiver
from tests.workflows.writing_back.conftest import ALL, Add, Tell
from workflows import writing_back
from workflows.models import WriteBack
from workflows.webhooks import delivering
from workflows.webhooks.client import Said, Unanswered
from workflows.writing_back import pushing, receivers
from workflows.writing_back.models import WriteBackReceiver, WriteBackSetAside

__all__ = ["draw"]
HERE = delivering.through(Hosts(inside=frozenset({"127.0.0.1"})))
HOUR = timedelta(hours=1)


def push(now: Any = NOON, post: Any = HERE) -> int:
    return pushing.run_once(now=now, post=post)


def row() -> WriteBackReceiver:
    return WriteBackReceiver.objects.get()


def heard(receiver: Receiver) -> list[str]:
    """The record numbers that arrived, in order."""
    return [one["contained"][0]["identifier"][0]["value"] for one in receiver.bodies()]


def test_everything_is_told_once_and_in_the_order_of_the_feed(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    """HD-16"""
    add()
    tell("MRN-1", "MRN-2", "MRN-3")
    assert push() == 3 and push(NOON + HOUR) == 0
    keys = WriteBack.objects.order_by("position").values_list("key", flat=True)
    assert [one["id"] for one in receiver.bodies()] == [str(key) for key in keys]
    assert row().position == 3 and row().accepted_at == NOON


def test_a_call_is_signed_and_made_once_by_a_fhir_server(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    made = add()
    tell("MRN-1")
    push()
    headers, body = receiver.got[0]
    key = WriteBack.objects.get().key
    secret = str(made.endpoint.secret)
    assert signed.check(body, headers, secret=secret, now=NOON) == f"msg_{key.hex}"
    assert headers["content-type"] == "application/fhir+json"
    assert headers["if-none-exist"] == f"identifier=urn:attune:write-back|{key}"


def test_a_receiver_that_is_down_is_told_later_and_nothing_overtakes(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    tell("MRN-1", "MRN-2")
    receiver.says(503)
    receiver.says(200)
    assert push() == 1 and row().position == 0 and row().reason == "status_503"
    assert push() == 0
    assert push(NOON + HOUR) == 2
    numbers = heard(receiver)
    assert numbers[0] == numbers[1] != numbers[2]
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    assert row().position == 2 and row().reason == ""


def test_while_a_receiver_is_down_nobody_else_is_opened_for_it(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    tell("MRN-1", "MRN-2", "MRN-3")
    receiver.says(503)
    push()
    before = Entry.objects.filter(action="contact.revealed").count()
    seen: list[int] = []

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        seen.append(len(body))
        return Unanswered("no_connection")

    assert push(NOON + HOUR, post) == 1 and len(seen) == 1
    assert Entry.objects.filter(action="contact.revealed").count() == before + 1


def test_what_the_receiver_will_never_have_is_set_aside_and_the_others_go_on(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    made = add()
    tell("MRN-1", "MRN-2")
    receiver.says(422)
    receiver.says(201)
    assert push() == 2 and row().position == 2
    aside = WriteBackSetAside.objects.get()
    assert (aside.position, aside.reason) == (1, "status_422")
    assert receivers.send_again(made, now=NOON) == 1 and push() == 1
    assert not WriteBackSetAside.objects.exists() and row().position == 2
    assert heard(receiver)[2] == heard(receiver)[0]


def test_what_was_set_aside_holds_nobody_up_the_second_time(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    made = add()
    tell("MRN-1")
    receiver.says(400)
    receiver.says(500)
    receiver.says(200)
    push()
    receivers.send_again(made, now=NOON)
    assert push() == 1
    aside = WriteBackSetAside.objects.get()
    assert (aside.reason, aside.again, row().attempts) == ("status_500", False, 0)


def test_staff_set_aside_what_stands_in_the_way(tell: Tell, add: Add, receiver: Receiver) -> None:
    made = add()
    tell("MRN-1", "MRN-2")
    receiver.says(500)
    receiver.says(200)
    push()
    assert receivers.pass_over(made, now=NOON) and push() == 1
    assert row().position == 2 and WriteBackSetAside.objects.get().reason == "status_500"
    assert not receivers.pass_over(made, now=NOON)
    assert Entry.objects.filter(action="write_back_receiver.passed_over").count() == 1


@pytest.mark.parametrize("form", ["mdm", "oru"])
def test_hd01_an_hl7_message_counts_when_it_is_acknowledged(
    tell: Tell, add: Add, receiver: Receiver, form: str
) -> None:
    add(form)
    tell("MRN-7")
    receiver.acknowledges = ["AR", "AA"]
    push()
    assert row().reason == "acknowledged_rejected" and row().position == 0
    push(NOON + HOUR)
    assert row().position == 1
    first, second = (body.decode().split("\r")[0].split("|")[9] for _, body in receiver.got)
    assert first == second and "MRN-7^^^ehr^MR" in receiver.got[0][1].decode()
    assert receiver.got[0][0]["content-type"] == "application/hl7-v2; charset=utf-8"


def test_hd01_an_error_is_set_aside_and_a_bare_200_acknowledges_nothing(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add("mdm")
    tell("MRN-7", "MRN-8")
    receiver.acknowledges = ["AE", "ZZ"]
    push()
    assert WriteBackSetAside.objects.get().reason == "acknowledged_error"
    assert row().position == 1 and row().reason == "no_acknowledgement"


def test_a_crash_between_call_and_mark_repeats_the_call_with_the_same_key(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    tell("MRN-1")

    def dies(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        HERE(url, body, headers)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(post=dies)
    assert push() == 0, "the claim still stands"
    assert push(NOON + pushing.LEASE) == 1
    assert len({headers["idempotency-key"] for headers, _ in receiver.got}) == 1
    assert row().position == 1


def test_whoever_comes_back_after_the_claim_ran_out_writes_nothing(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    tell("MRN-1")

    def slow(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        WriteBackReceiver.objects.update(fence=99)
        return Unanswered("no_connection")

    push(post=slow)
    assert row().attempts == 0 and row().fence == 99


def test_a_host_that_is_not_listed_is_not_called(tell: Tell, add: Add, receiver: Receiver) -> None:
    """SE-18"""
    add()
    tell("MRN-1")
    push(post=delivering.through(Hosts()))
    assert not receiver.got and row().reason == "host_not_allowed" and row().position == 0


def test_what_the_endpoint_may_not_be_told_is_set_aside_unsaid(
    draw: Draw, add: Add, receiver: Receiver
) -> None:
    """W8: the way to the step says a person's sex, which the endpoint may not be told."""
    add(classes=["engagement", "identity"])
    asked = {"field": "gender", "op": "equals", "value": "female"}
    write = {"id": "tell", "kind": "write_back", "event": "outreach.completed", "next": "end"}
    which = {"id": "which", "kind": "branch", "if": asked, "yes": "tell", "no": "end"}
    go(draw(which, write), *people("ada", gender="female"))
    writing_back.release()
    push()
    assert not receiver.got and WriteBackSetAside.objects.get().reason == "class_not_allowed"


def test_without_identity_no_number_and_no_name_is_told(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add(classes=[one for one in ALL if one != "identity"])
    (one,) = tell("MRN-1")
    push()
    assert "MRN-1" not in receiver.got[0][1].decode()
    public = str(Contact.objects.get(pk=one).public_id)
    assert receiver.bodies()[0]["subject"]["identifier"]["value"] == public


def test_pr32_an_agreement_that_ended_holds_everything_back(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    day = NOON.date()
    add(own=False, recipient="Desk", address="1 Way", agreement_from=day - timedelta(days=9),
        agreement_until=day - timedelta(days=1))  # fmt: skip
    tell("MRN-1")
    push()
    assert not receiver.got and row().reason == "no_agreement"


def test_pr24_somebody_else_being_told_is_a_disclosure(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add(own=False, recipient="Desk", address="1 Way", agreement_from=NOON.date())
    (one,) = tell("MRN-1")
    push()
    assert Disclosure.objects.get().contact_id == one
    entry = Entry.objects.get(action="write_back.pushed")
    assert "MRN-1" not in str(entry.detail)


def test_an_erased_person_is_not_told_of_and_holds_nobody_up(
    tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    (one,) = tell("MRN-1")
    Contact.objects.filter(pk=one).update(erased_at=NOON)
    assert push() == 0 and row().position == 1 and not receiver.got


def test_a_new_receiver_may_begin_with_what_comes(tell: Tell, add: Add, receiver: Receiver) -> None:
    tell("MRN-1")
    add(from_now=True)
    tell("MRN-2")
    assert push() == 1 and heard(receiver) == ["MRN-2"]


def test_what_is_put_away_or_paused_is_not_told(tell: Tell, add: Add, receiver: Receiver) -> None:
    made = add()
    tell("MRN-1")
    made.endpoint.paused = True
    made.endpoint.save()
    assert push() == 0
    made.endpoint.paused = False
    made.endpoint.save()
    receivers.archive(made, now=NOON)
    assert push() == 0 and not receiver.got


def test_another_organisation_tells_nothing_of_ours(
    tell: Tell, add: Add, receiver: Receiver, hill: Organisation
) -> None:
    """SE-01"""
    add()
    tell("MRN-1")
    with tenancy.acting_for(hill.pk):
        assert push() == 0 and receivers.standing() == []
    assert not receiver.got
