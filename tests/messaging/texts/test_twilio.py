"""Twilio's API and its signed reports, against a server on loopback."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from consent.models import OptOut
from consent.sending import terms
from messaging import settling
from messaging.models import IncomingText, Message, Pool, TemplateVersion
from messaging.transports import twilio
from tests.conftest import NOON
from tests.messaging.texts.conftest import ADA, DAY, NUMBER, door, order, send, states

SID, TOKEN = "AC" + "0" * 32, "token-1"


class Api:
    """What was asked of Twilio, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.status = 201
        self.answer: dict[str, Any] = {"sid": "SM1"}
        self.cut = False
        self.listed: list[dict[str, str]] = []


@pytest.fixture
def api(at_harbor: Organisation, settings: Any) -> Iterator[Api]:
    made = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(raw).items()}
            made.asked.append((self.path, form, self.headers["authorization"]))
            if made.cut:
                self.connection.close()
                return
            self._say(made.status, made.answer)

        def do_GET(self) -> None:
            self._say(200, {"messages": made.listed})

        def _say(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    settings.CALL_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.ATTUNE_PUBLIC_ORIGIN = "https://mail.harbor.example"
    terms.record_carrier(
        "sms", name="Twilio", agreement_from=date(2026, 1, 1), services=["sms"], now=NOON
    )
    Pool.objects.create(
        kind="texts",
        carrier=Pool.Carrier.PROVIDER,
        provider="twilio",
        user=SID,
        secret=TOKEN,
        number=NUMBER,
        url=f"http://127.0.0.1:{server.server_address[1]}",
        agreement_from=date(2026, 1, 1),
        changed_at=NOON,
    )
    yield made
    server.shutdown()
    server.server_close()


def knock(form: dict[str, str], *, query: str = "", token: str = TOKEN) -> int:
    path = door() + query
    given = twilio.signature(f"https://mail.harbor.example{path}", form, token=token)
    return Client().post(path, form, headers={"x-twilio-signature": given}).status_code


def test_a_text_goes_by_twilio(api: Api, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    assert send().sent == 1
    path, form, authorization = api.asked[0]
    row = Message.objects.get()
    assert path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert (form["To"], form["From"], row.reference) == (ADA, NUMBER, "SM1")
    assert form["StatusCallback"].endswith(f"?m={row.public_id.hex}")
    assert base64.b64decode(authorization.removeprefix("Basic ")) == f"{SID}:{TOKEN}".encode()


@pytest.mark.parametrize(
    ("number", "code"),
    [(21211, "number_unusable"), (21610, "opted_out"), (99999, "gateway_refused")],
)
def test_its_error_numbers_are_understood(
    api: Api, ada: int, reminder: TemplateVersion, number: int, code: str
) -> None:
    api.status, api.answer = 400, {"code": number, "message": f"{ADA} is bad"}
    order(reminder, ada)
    assert send().failed == 1
    row = Message.objects.get()
    assert (row.refusal_code, row.smtp_reply) == (code, f"400 {number}")


def test_a_wrong_token_fails_nothing(api: Api, ada: int, reminder: TemplateVersion) -> None:
    api.status, api.answer = 401, {"code": 20003}
    order(reminder, ada)
    assert send().deferred == 1
    assert Message.objects.get().refusal_code == "sign_in_failed"


def test_an_unclear_text_is_found_among_those_sent(
    api: Api, ada: int, reminder: TemplateVersion
) -> None:
    api.cut = True
    order(reminder, ada)
    assert send().unknown == 1
    api.listed = [{"body": api.asked[0][1]["Body"]}]
    assert settling.run_once(now=DAY + timedelta(minutes=5)) == 1
    assert states() == ["sent"]


def test_an_unclear_text_that_is_not_among_them_goes_again(
    api: Api, ada: int, reminder: TemplateVersion
) -> None:
    api.cut = True
    order(reminder, ada)
    send()
    api.listed = [{"body": "something else"}]
    assert settling.run_once(now=DAY + timedelta(minutes=5)) == 1
    assert states() == ["queued"]


def test_its_reports_are_taken_in(api: Api, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    send()
    query = f"?m={Message.objects.get().public_id.hex}"
    assert knock({"MessageSid": "SM1", "MessageStatus": "delivered"}, query=query) == 200
    assert Message.objects.get().delivered_at is not None


def test_a_report_that_it_failed_says_why(api: Api, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    send()
    query = f"?m={Message.objects.get().public_id.hex}"
    knock({"MessageStatus": "undelivered", "ErrorCode": "30007"}, query=query)
    row = Message.objects.get()
    assert (row.state, row.refusal_code, row.smtp_reply) == ("failed", "carrier_blocked", "30007")


def test_stop_comes_in(api: Api, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    send()
    Message.objects.update(handed_over_at=timezone.now())
    form = {"MessageSid": "SM9", "From": ADA, "To": NUMBER, "Body": "Stop"}
    assert [knock(form), knock(form)] == [200, 200]
    assert (OptOut.objects.exists(), IncomingText.objects.count()) == (True, 1)


def test_a_wrong_signature_opens_nothing(api: Api, ada: int) -> None:
    form = {"MessageSid": "SM9", "From": ADA, "To": NUMBER, "Body": "Stop"}
    assert knock(form, token="another") == 403
    assert not OptOut.objects.exists()


def test_its_signature_is_the_one_of_its_documentation() -> None:
    """The example of https://www.twilio.com/docs/usage/webhooks/webhooks-security"""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio.signature(url, form, token="12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
