"""Mail by providers' APIs and by a gateway's signed JSON, against servers on loopback."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from accounts.models import Organisation
from messaging import dispatch, sender, signed
from messaging.models import Message, Pool, TemplateVersion
from messaging.outside import Hosts
from messaging.pools import facts
from messaging.transports import provider
from messaging.transports.base import Fate, Outgoing
from messaging.transports.provider import Account, Provider
from messaging.transports.web import Web
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, approved, template

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="
HEX = "0199f0a000007000800000000000abcd"
MAIL = (
    b"From: Harbor Clinic <care@harbor.example>\r\nTo: ada@example.org\r\nSubject: News\r\n"
    b"Message-ID: <0199f0a000007000800000000000abcd@harbor.example>\r\n"
    b"List-Unsubscribe: <https://h.example/m/u/x>\r\nDKIM-Signature: v=1; b=x\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Ada\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Dear Ada</p>\r\n--b--\r\n"
)
ANSWERS: dict[str, dict[str, Any]] = {
    "mailgun": {"id": "<0199@harbor.example>", "message": "Queued. Thank you."},
    "postmark": {"To": "ada@example.org", "MessageID": "p-1", "ErrorCode": 0, "Message": "OK"},
    "brevo": {"messageId": "<b-1@smtp-relay.example>"},
    "mailjet": {"Messages": [{"Status": "success", "To": [
        {"Email": "ada@example.org", "MessageUUID": "m", "MessageID": 7, "MessageHref": ""}]}]},
    "sparkpost": {"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1,
                              "id": "s-1"}},
}  # fmt: skip


@dataclass
class Api:
    """What was asked of a provider, and what it answers."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=dict)
    cut: bool = False
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            given = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append((self.path, given, body))
            if made.cut:
                self.connection.close()
                return
            said = json.dumps(made.answer).encode()
            self.send_response(made.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield made
    server.shutdown()
    server.server_close()


def carrier(api: Api, name: str) -> Provider:
    account = Account(name, "key-1", user="user-1", sender_domain="harbor.example", api=api.url)
    return Provider(account, Hosts(inside=frozenset({"127.0.0.1"})))


def hand(api: Api, name: str = "brevo") -> Any:
    api.answer = api.answer or ANSWERS[name]
    return carrier(api, name).hand(Outgoing(1, "b@h.example", "ada@example.org", MAIL, HEX))


@pytest.mark.parametrize("name", sorted(provider.KINDS))
def test_a_mail_is_handed_to_each_provider(api: Api, name: str) -> None:
    outcome = hand(api, name)
    assert (outcome.fate, bool(outcome.reference)) == (Fate.ACCEPTED, True)
    (_, _, body) = api.asked[0]
    assert b"Dear Ada" in body.replace(b"+", b" ")
    assert HEX.encode() in body, "the provider's reports name the message by this"
    assert b"DKIM-Signature" not in body


@pytest.mark.parametrize(
    ("status", "fate", "code"),
    [
        (400, Fate.REJECTED, "rejected"),
        (422, Fate.REJECTED, "rejected"),
        (429, Fate.DEFERRED, ""),
        (503, Fate.DEFERRED, ""),
        (500, Fate.UNCLEAR, ""),
        (502, Fate.UNCLEAR, ""),
    ],
)
def test_what_a_status_means(api: Api, status: int, fate: Fate, code: str) -> None:
    api.status = status
    outcome = hand(api)
    assert (outcome.fate, outcome.code) == (fate, code)


def test_an_account_that_is_refused_fails_no_message(api: Api) -> None:
    api.status = 401
    outgoing = Outgoing(1, "b@h.example", "ada@example.org", MAIL, HEX)
    with closing(carrier(api, "brevo").transport(connections=1)) as transport:
        (outcome,) = transport.send([outgoing])
    assert (outcome.fate, outcome.code) == (Fate.NOT_TRIED, "sign_in_failed")


def test_no_answer_is_unclear(api: Api) -> None:
    api.cut = True
    with closing(carrier(api, "brevo").transport(connections=1)) as transport:
        (outcome,) = transport.send([Outgoing(1, "b@h.example", "a@example.org", MAIL, HEX)])
    assert outcome.fate is Fate.UNCLEAR


def test_a_recipient_that_the_provider_refuses_is_rejected(api: Api) -> None:
    api.answer = {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0,
                              "id": "s-1"}}  # fmt: skip
    assert hand(api, "sparkpost").fate is Fate.REJECTED


def test_a_provider_is_called_at_its_own_api_alone() -> None:
    hosts = Hosts()
    assert provider.api_problem("mailgun", "https://api.eu.mailgun.net/v3", hosts) == ""
    assert provider.api_problem("mailgun", "https://evil.example/v3", hosts)


# Through the pool, the gate and dispatch


@pytest.fixture
def pooled(api: Api, at_harbor: Organisation, settings: Any) -> Pool:
    settings.CALL_PRIVATE_HOSTS = ["127.0.0.1"]
    api.answer = ANSWERS["brevo"]
    return Pool.objects.create(
        kind="marketing",
        carrier=Pool.Carrier.PROVIDER,
        provider="brevo",
        url=api.url,
        secret="key-1",
        onward=Pool.Onward.ENFORCED,
        agreement_from=date(2026, 1, 1),
        changed_at=NOON,
    )


def send(kind: str = "marketing", *, now: datetime = NOON) -> dispatch.Dispatched:
    known = facts.of(kind)
    carried = sender.carrier(known)
    assert isinstance(carried, Web)
    carried.overlaps = False  # the tests' own transaction is seen by one connection only
    with closing(carried):
        return dispatch.run_once(transport=carried, now=now, onward=sender.onward(known), pool=kind)


def test_a_pool_goes_by_its_provider(pooled: Pool, api: Api, enqueue: Enqueue, ada: int) -> None:
    enqueue([ada])
    assert send().sent == 1
    row = Message.objects.get()
    assert (row.state, row.reference) == ("sent", "<b-1@smtp-relay.example>")
    assert json.loads(api.asked[0][2])["to"] == [{"email": "Ada@Example.org"}]


def test_without_an_agreement_nothing_about_a_person_goes_by_it(
    pooled: Pool, api: Api, enqueue: Enqueue, ada: int
) -> None:
    """PR-32"""
    Pool.objects.update(agreement_from=None)
    enqueue([ada])
    send()
    assert Message.objects.get().refusal_code == "no_baa"
    assert api.asked == []


def test_without_an_agreement_what_says_nothing_may_go(
    pooled: Pool, api: Api, version: TemplateVersion, enqueue: Enqueue, ada: int
) -> None:
    Pool.objects.update(agreement_from=None)
    words = '<mj-text>We moved. See <a href="https://harbor.example/map">the map</a>.</mj-text>'
    foot = (
        "<mj-text>{{ organisation.name }}, {{ organisation.postal_address }}"
        '<a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>'
    )
    from tests.messaging.mails import mjml

    plain = approved(template("moved", mjml=mjml(words, foot=foot), text=""))
    enqueue([ada], template_version=plain.id, step="moved")
    assert send().sent == 1


def test_a_provider_of_unclear_answer_is_settled_by_its_report(
    pooled: Pool, api: Api, enqueue: Enqueue, ada: int
) -> None:
    from messaging.hearing import reported
    from messaging.hearing.feeds import Report

    api.cut = True
    enqueue([ada])
    assert send().unknown == 1
    row = Message.objects.get()
    reported.take(
        Report("delivered", (row.public_id.hex,), "m", NOON, "", "", "", "", ""), now=NOON
    )
    row.refresh_from_db()
    assert (row.state, row.delivered_at is not None) == ("sent", True)


def test_the_relays_log_says_nothing_of_what_a_provider_got(
    pooled: Pool, api: Api, enqueue: Enqueue, ada: int
) -> None:
    from messaging import reconcile

    api.cut = True
    enqueue([ada])
    send()
    done = reconcile.reconcile(set(), complete_until=datetime(2027, 1, 1, tzinfo=UTC), now=NOON)
    assert (done.requeued, Message.objects.get().state) == (0, "unknown")


@pytest.fixture
def webhook(pooled: Pool, api: Api) -> Pool:
    pooled.carrier, pooled.provider, pooled.secret = Pool.Carrier.WEBHOOK, "", SECRET
    pooled.save()
    return pooled


def test_a_gateway_gets_the_mail_whole_and_signed(
    webhook: Pool, api: Api, enqueue: Enqueue, ada: int
) -> None:
    enqueue([ada])
    assert send().sent == 1
    (_, given, body) = api.asked[0]
    now = datetime.now(UTC)
    assert signed.check(body, given, secret=SECRET, now=now) == Message.objects.get().public_id.hex
    said = json.loads(body)
    assert (said["type"], said["channel"], said["to"]) == (
        "message.send",
        "email",
        "Ada@Example.org",
    )
    assert b"Message-ID:" in b64decode(said["mime"])


def test_a_gateway_that_says_later_gets_it_again_under_the_same_number(
    webhook: Pool, api: Api, enqueue: Enqueue, ada: int
) -> None:
    from datetime import timedelta

    api.status = 503
    enqueue([ada])
    assert send().deferred == 1
    api.status = 202
    assert send(now=NOON + timedelta(hours=1)).sent == 1
    assert len({given["webhook-id"] for _, given, _ in api.asked}) == 1


def test_a_gateways_no_is_final(webhook: Pool, api: Api, enqueue: Enqueue, ada: int) -> None:
    api.status, api.answer = 422, {"code": "no_such_mailbox"}
    enqueue([ada])
    assert send().failed == 1
    assert Message.objects.get().refusal_code == "no_such_mailbox"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"status": "delivered"}, "message.delivered"),
        ({"status": "failed", "code": "no_such_mailbox"}, "message.bounced"),
    ],
)
def test_a_gateway_reports_of_mail_as_providers_do(
    webhook: Pool, api: Api, enqueue: Enqueue, ada: int, said: dict[str, str], kind: str
) -> None:
    from contacts.models import Event
    from tests.messaging.texts.conftest import door, post_signed

    enqueue([ada])
    send()
    number = Message.objects.get().public_id.hex
    told = {"type": "message.status", "id": number} | said
    assert post_signed(door("marketing"), told, secret=SECRET).status_code == 204
    assert Event.objects.filter(kind=kind).count() == 1
