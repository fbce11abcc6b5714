"""Every page for patients, as an attacker finds it: garbage for a token, garbage for a form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import Entry
from contacts.models import Contact
from messaging import links
from messaging.models import Answer, Message, Pickup
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, ada, enqueue, version  # noqa: F401
from tests.messaging.portal.conftest import Visitor, ada_waits, clock, visitor  # noqa: F401

UUID = "018f0000-0000-7000-8000-000000000001"
TOKENS = ("x", "A" * 60, "..%2f..%2fetc", "%00", "ñ" * 20, "A" * 3000, "' or 1=1 --")
BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"act": "enter", "code": "\0" * 6, "month": "\0", "day": "-1", "year": "99999"},
    {"act": "enter", "code": "٣" * 6, "month": "٣", "day": "٣", "year": "١٩٦٠"},
    {"act": "enter", "code": "123456", "month": "2", "day": "30", "year": "2000"},
    {"act": ["code", "renew"], "lang": ["es", "xx", "\0"]},
    {"act": "address", "address": "a@b\r\nBcc: c@d", "month": "x", "day": "", "year": "1e3"},
    {"act": "save", "topic": ["x" * 500] * 50, "frequency": "\0", "language": "../es"},
    {"act": "pause", "pause": "-1"},
    {"act": "remove", "key": "not-a-uuid"},
    {"words": "\0\ud7ff\u202e" * 50, "lang": "es"},
)


def addresses() -> Iterator[str]:
    """Yield each address below /m/ as the URL configuration has it."""
    for route in _routes(get_resolver().url_patterns, ""):
        if route.startswith("m/"):
            yield route


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route


def filled(route: str, token: str) -> str:
    for blank, value in (
        ("<str:token>", token),
        ("<int:number>", "1"),
        ("<uuid:number>", UUID),
        ("<str:kind>", "png"),
    ):
        route = route.replace(blank, value)
    assert "<" not in route, "teach this test the new kind of address"
    return f"/{route}"


def test_there_are_public_doors() -> None:
    assert len(list(addresses())) >= 14


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(addresses()))
def test_a_forged_token_opens_nothing_and_teaches_nothing(route: str) -> None:
    client = Client(raise_request_exception=False)
    # Providers of mail ask for the head of a webhook's address before they take it, of any.
    methods = ("get", "post") if route.startswith("m/w/") else ("get", "head", "post")
    for token in TOKENS:
        for method in methods:
            answer = getattr(client, method)(filled(route, token))
            assert answer.status_code in (403, 404, 405), (token, method)
            assert not answer.cookies
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_who_finds_nothing_is_told_so_in_their_language() -> None:
    """AC-02"""
    answer = Client().get("/m/p/x", HTTP_ACCEPT_LANGUAGE="es-MX")
    assert "Aquí no hay nada" in answer.content.decode()
    assert '<html lang="es">' in answer.content.decode()
    assert "There is nothing here" in Client().get("/m/p/x").content.decode()


@pytest.mark.parametrize("kind", ["door", "choices", "unsubscribe"])
def test_whatever_a_form_brings_nothing_breaks(
    ada_waits: Visitor,  # noqa: F811
    kind: str,
) -> None:
    client = Client(raise_request_exception=False)
    path = _path(kind, ada_waits)
    for body in BODIES:
        answer = client.post(path, body)
        assert answer.status_code < 500, body
        assert_kept_by_nobody(answer)
    for raw, given in ((b"\xff\xfe", "application/x-www-form-urlencoded"), (b"{", "text/json")):
        assert client.post(path, raw, content_type=given).status_code < 500
    assert client.post(path, b"--", content_type="multipart/form-data").status_code < 500
    assert client.get(f"{path}?lang=%00&lang=<script>").status_code < 500
    assert Pickup.objects.get().opened_at is None


def test_whatever_who_was_let_in_brings_nothing_breaks(ada_waits: Visitor) -> None:  # noqa: F811
    ada_waits.enter()
    ada_waits.client.raise_request_exception = False
    for body in BODIES:
        for part in ("message", "key"):
            answer = ada_waits.client.post(f"{ada_waits.path}/{part}", body)
            assert answer.status_code < 500, (part, body)
            assert_kept_by_nobody(answer)
    assert Answer.objects.count() == 1, "only the one with words"
    assert Contact.objects.count() == 1


def _path(kind: str, who: Visitor) -> str:
    if kind == "door":
        return who.path
    row = Message.objects.get()
    made = links.addresses(
        "",
        organisation_id=row.organisation_id or 0,
        message_id=row.pk,
        contact_id=row.contact_id,
        tracked=False,
        now=NOON,
    )
    return made.unsubscribe + ("/choices" if kind == "choices" else "")


def assert_kept_by_nobody(answer: HttpResponseBase) -> None:
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.usefixtures("enqueue")
def test_the_answer_is_the_same_whether_a_person_has_a_birth_date_or_not(
    ada_waits: Visitor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing tells whether a record is complete, or gone."""
    with_date = ada_waits.say("000000", year="1961").content
    Pickup.objects.update(attempts=0)
    monkeypatch.setattr("contacts.reveal.reveal", lambda *_, **__: {})
    without = ada_waits.say("000000", year="1961").content
    assert with_date == without
