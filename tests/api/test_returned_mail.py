"""Mail that came back, by API."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.messaging.test_bounces import report


def test_the_same_mail_is_taken_once(machine: Any) -> None:
    body = {"mail": b64encode(report("5.1.1", "550 5.1.1 Unknown")).decode()}
    first, again = (machine.post("returned-mail", body).json() for _ in range(2))
    assert (first["kind"], first["matched"], first["repeated"]) == ("bounce", False, False)
    assert again["repeated"]


def test_what_is_not_base64_is_refused(machine: Any) -> None:
    answer = machine.post("returned-mail", {"mail": "From: me"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/mail")
