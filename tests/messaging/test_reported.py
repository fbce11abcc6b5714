"""What providers report by webhook: who may, what follows, and what nobody learns."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from consent import suppression
from consent.models import OptOut
from contacts.models import Event
from messaging import dispatch, tracking
from messaging.hearing import feeds, intake, reported, return_path, visits
from messaging.hearing.reported import Added
from messaging.models import Message, ProviderFeed, Returned, Visit
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_machines import FIREFOX

LATER = NOON + timedelta(hours=1)
SignedIn = Callable[[User], Client]


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    return Message.objects.select_related("version").get()


@pytest.fixture
def postmark(at_harbor: Organisation) -> Added:
    return reported.add("postmark", now=NOON)


def post(feed: Added, body: object, *, secret: str | None = None, path: str = "") -> int:
    answer = Client().post(
        path or reported.path_of(feed.feed, now=NOON),
        json.dumps(body),
        content_type="application/json",
        HTTP_AUTHORIZATION=feeds.basic(feed.secret if secret is None else secret),
    )
    assert answer.content == b""
    return answer.status_code


def told(message: Message, record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "MessageID": "provider-number",
        "Metadata": {"message": message.message_id_header},
        **more,
    }


def bounced(message: Message, **more: Any) -> dict[str, Any]:
    said = {
        "Type": "HardBounce",
        "ID": 42,
        "Email": "ada@example.org",
        "BouncedAt": "2026-03-02T12:30:00Z",
        "Details": "smtp;550 5.1.1 User unknown",
    }
    return told(message, "Bounce", **said | more)


def test_em11_a_reported_bounce_gives_up_the_address_once(sent: Message, postmark: Added) -> None:
    assert post(postmark, bounced(sent)) == 200
    assert post(postmark, bounced(sent)) == 200
    row = Returned.objects.get()
    assert (row.message_id, row.meaning, row.source) == (sent.pk, "userunknown", "webhook")
    assert suppression.is_suppressed("ada@example.org")
    assert Event.objects.filter(kind="message.bounced").count() == 1


def test_em11_a_full_mailbox_gives_nobody_up(sent: Message, postmark: Added) -> None:
    post(postmark, bounced(sent, Type="SoftBounce", Details="452 4.2.2 Mailbox full"))
    assert Returned.objects.get().meaning == "mailboxfull"
    assert not suppression.is_suppressed("ada@example.org")


def test_em12_a_reported_complaint_ends_marketing_by_the_messages_number(
    sent: Message, postmark: Added
) -> None:
    post(postmark, told(sent, "SpamComplaint", Type="SpamComplaint", ID=7))
    assert OptOut.objects.filter(contact_id=sent.contact_id, purpose="marketing").exists()
    assert Returned.objects.get().kind == "complaint"


def test_a_delivery_is_noted_once(sent: Message, postmark: Added) -> None:
    body = told(sent, "Delivery", DeliveredAt="2026-03-02T12:00:05Z", Recipient="ada@example.org")
    for _ in range(2):
        assert post(postmark, body) == 200
    event = Event.objects.get(kind="message.delivered")
    assert (event.contact_id, event.message_id) == (sent.contact_id, sent.pk)


def test_tr05_a_reported_opening_waits_and_is_judged_like_ours(
    sent: Message, postmark: Added
) -> None:
    body = told(sent, "Open", ReceivedAt="2026-03-02T12:30:00Z", UserAgent=FIREFOX)
    for _ in range(2):
        post(postmark, body)
    assert Visit.objects.count() == 1 and not Event.objects.filter(kind="message.opened").exists()
    visits.run_once(now=LATER + visits.WAIT)
    assert Event.objects.get(kind="message.opened").machine is False


def test_tr04_who_lets_nothing_be_measured_is_not_by_a_provider(
    sent: Message, postmark: Added
) -> None:
    tracking.decline(sent.contact_id, now=LATER)
    post(postmark, told(sent, "Open", ReceivedAt="2026-03-02T12:30:00Z", UserAgent=FIREFOX))
    assert not Visit.objects.exists()


def test_a_no_said_to_the_provider_counts(sent: Message, postmark: Added) -> None:
    reason = {"SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    post(postmark, told(sent, "SubscriptionChange", **reason))
    assert OptOut.objects.filter(contact_id=sent.contact_id, purpose="marketing").exists()


def test_a_wrong_password_a_wrong_address_and_an_ended_feed_have_one_answer(
    sent: Message, postmark: Added
) -> None:
    path = reported.path_of(postmark.feed, now=NOON)
    assert post(postmark, bounced(sent), secret="guess") == 403
    assert post(postmark, bounced(sent), path=path[:-5] + "AAAA/") == 403
    reported.end(postmark.feed.pk, now=LATER)
    assert post(postmark, bounced(sent)) == 403
    assert not Returned.objects.exists()
    assert Entry.objects.filter(action="provider_feed.refused").count() == 1


def test_a_message_that_is_not_ours_has_the_same_answer(
    sent: Message, postmark: Added, hill: Organisation
) -> None:
    body = bounced(sent) | {"Metadata": {"message": "<" + "0" * 32 + ".x@harbor.example>"}}
    assert post(postmark, body) == 200
    assert Returned.objects.get().message_id is None
    assert not Event.objects.filter(kind="message.bounced").exists()


def test_a_feed_of_another_organisation_reaches_none_of_our_messages(
    sent: Message, hill: Organisation
) -> None:
    with tenancy.acting_for(hill.pk):
        theirs = reported.add("postmark", now=NOON)
    assert post(theirs, bounced(sent)) == 200
    assert not suppression.is_suppressed("ada@example.org")
    assert not Returned.objects.exists()


@pytest.mark.parametrize("body", [[], "x", None, {"RecordType": 3}, {"Inbound": 1}, 7])
def test_what_is_no_report_is_refused_and_breaks_nothing(
    sent: Message, postmark: Added, body: object
) -> None:
    assert post(postmark, body) in (200, 403)
    assert not Returned.objects.exists()


def test_a_provider_that_signs_is_known_by_its_signature(
    sent: Message, at_harbor: Organisation
) -> None:
    feed = reported.add("mailgun", signing_key="their-key", now=NOON)
    at, token = "1772452800", "t" * 50
    body = {
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "id": "e1",
            "timestamp": 1772452800.0,
            "recipient": "ada@example.org",
            "message": {"headers": {"message-id": sent.message_id_header.strip("<>")}},
            "delivery-status": {"code": 550, "message": "5.1.1 User unknown"},
            "user-variables": {},
        }
    }

    def signed(key: str) -> object:
        made = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
        return body | {"signature": {"timestamp": at, "token": token, "signature": made}}

    assert post(feed, signed("another")) == 403
    assert post(feed, signed("their-key")) == 200
    assert Returned.objects.get().message_id == sent.pk
    assert suppression.is_suppressed("ada@example.org")


def test_the_secret_is_sealed_and_the_address_says_nothing(postmark: Added) -> None:
    path = reported.path_of(postmark.feed, now=NOON)
    assert str(postmark.feed.pk) not in path and postmark.feed.pk.hex not in path
    assert ProviderFeed.objects.get().secret == postmark.secret


def test_an_administrator_adds_and_ends_a_feed_and_others_may_not(
    harbor: Organisation, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        nils = staff.add("nils@harbor.example", name="Nils", role=Role.ADMINISTRATOR, now=NOON)
    client = sign_in_as(nils)
    refused = client.post("/delivery/providers/new/", {"provider": "mailgun"})
    assert refused.status_code == 422 and "give its key" in refused.content.decode()
    page = client.post("/delivery/providers/new/", {"provider": "postmark"}).content.decode()
    assert "/m/w/" in page
    with tenancy.acting_for(harbor.pk):
        feed = ProviderFeed.objects.get()
    assert "Postmark" in sign_in_as(omar).get("/delivery/providers/").content.decode()
    assert sign_in_as(omar).post("/delivery/providers/new/", {}).status_code == 403
    assert sign_in_as(mara).get("/delivery/providers/").status_code == 403
    client.post(f"/delivery/providers/{feed.pk}/end/")
    with tenancy.acting_for(harbor.pk):
        assert ProviderFeed.objects.get().ended_at is not None


# Return paths


@pytest.fixture
def plus(settings: Any) -> None:
    settings.RETURN_PATH_SEPARATOR = "+"


def test_each_message_has_a_return_path_where_the_server_knows_sub_addresses(
    plus: None, sent: Message, memory: Memory
) -> None:
    path = memory.sent[-1].sender
    assert path.startswith("care+b") and len(path.partition("@")[0]) <= 64
    assert return_path.read(path) == sent.public_id
    assert return_path.read(path.upper()) == sent.public_id
    assert "ada" not in path


def test_a_bounce_without_our_headers_is_known_by_the_path_it_came_to(
    plus: None, sent: Message, memory: Memory
) -> None:
    """EM-11: some servers send back neither the mail nor its Message-ID."""
    bare = (
        "From: MAILER-DAEMON@mx.example\r\n"
        f"To: {memory.sent[-1].sender}\r\n"
        "Subject: failure notice\r\n\r\n"
        "<ada@example.org>: 550 5.1.1 User unknown\r\n"
    )
    assert intake.take(bare.encode(), source="pipe", now=LATER).matched
    assert suppression.is_suppressed("ada@example.org")


def test_a_forged_path_is_nobodys(plus: None, sent: Message) -> None:
    path = return_path.of("care@harbor.example", sent.public_id)
    local, _, domain = path.partition("@")
    forged = f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}"
    assert return_path.read(forged) is None


def test_without_sub_addresses_the_plain_address_is_used(sent: Message, memory: Memory) -> None:
    assert "+" not in memory.sent[-1].sender
