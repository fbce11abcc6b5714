"""Signing up from a web site, confirmed from the mail (CS-03, EM-05, GD-01, GD-02)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Organisation
from consent import gate
from consent.choices import regimes, sign_ups
from consent.gate import GateRequest, Permit
from consent.ledger import ConsentInvalid
from consent.models import Authorization, Choice, SignUp, SignUpForm
from contacts.models import Contact, Event
from marketing.web import public_sign_up
from messaging import dispatch
from messaging.models import Message
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.messaging.mails import mjml
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import outside, path_in

__all__ = ["outside"]
LATER = NOON + timedelta(hours=1)
FILLED = {"email": "Lea@example.org", "agree": "yes"}


@pytest.fixture
def form(at_harbor: Organisation) -> SignUpForm:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    body = '<mj-text><a href="{{ links.choices }}">Confirm</a></mj-text>'
    mail = template(
        "confirm",
        purpose="service_notice",
        subject="One more step",
        mjml=mjml(body, foot=""),
        text="Confirm: {{ links.choices }}\n",
    )
    return sign_ups.make(
        "Newsletter",
        {"en": "I want the newsletter.", "es": "Quiero el boletín."},
        confirmation=approved(mail).id,
        sites=["https://www.clinic.example/page"],
        now=NOON,
    )


@pytest.fixture
def page(form: SignUpForm) -> str:
    return public_sign_up.address_of(form)


def confirming(outside: Client, page: str, **headers: str) -> str:
    """Fill in the form and return the address in the mail that came."""
    assert outside.post(page, FILLED, headers=headers).status_code == 200
    memory = Memory()
    dispatch.run_once(transport=memory, now=LATER, onward=Onward.ENFORCED)
    text, _ = parsed(memory.sent[-1]).iter_parts()
    return path_in(text.get_content(), "u")


def lead() -> int:
    return Contact.objects.get().id


def permitted(contact_id: int, **more: object) -> bool:
    request = GateRequest(contact_id, "marketing", **more)  # type: ignore[arg-type]
    (answer,) = gate.ask([request], now=LATER + timedelta(minutes=1))
    return isinstance(answer, Permit)


def test_asking_counts_for_nothing_until_the_mails_page_is_pressed(
    outside: Client, page: str
) -> None:
    """CS-03, EM-05, CA-69"""
    address = confirming(outside, page)
    for method in ("get", "head"):
        assert getattr(outside, method)(address).status_code == 200
    assert not permitted(lead())
    outside.post(address, {"act": "confirm"})
    assert permitted(lead())


def test_the_proof_binds_wording_time_address_and_method(outside: Client, page: str) -> None:
    """GD-02"""
    outside.post(confirming(outside, page), {"act": "confirm"}, headers={"User-Agent": "Firefox"})
    row = SignUp.objects.get()
    assert row.authorization and row.authorization.form_version_id == row.form_version_id
    assert row.form_version.text == "I want the newsletter."
    assert (row.confirmed_at, row.confirmation) == (
        LATER,
        {"address": "127.0.0.1", "program": "Firefox"},
    )


def test_a_confirmed_sign_up_is_told_as_an_event_of_its_form(
    outside: Client, page: str, form: SignUpForm
) -> None:
    """Workflows let people in by it."""
    address = confirming(outside, page)
    for _ in range(2):
        outside.post(address, {"act": "confirm"})
    assert Event.objects.get(kind="form.completed").campaign == form.id


def test_text_messages_need_words_that_name_them(outside: Client, page: str) -> None:
    """TC-01"""
    outside.post(confirming(outside, page), {"act": "confirm"})
    request = GateRequest(lead(), "marketing", channel="sms")
    (answer,) = gate.ask([request], now=LATER + timedelta(minutes=1))
    assert not isinstance(answer, Permit)


def test_a_lead_is_a_consumer_until_it_becomes_a_patient(outside: Client, page: str) -> None:
    """GD-01"""
    outside.post(confirming(outside, page), {"act": "confirm"})
    contact_id, then = lead(), LATER + timedelta(seconds=30)
    regimes.become_patient(contact_id, reason="test", now=then)
    assert regimes.of([contact_id], at=LATER) == {contact_id: "consumer"}
    assert regimes.of([contact_id], at=then) == {contact_id: "hipaa"}
    assert not permitted(contact_id)


def test_global_privacy_control_turns_sale_off(outside: Client, page: str) -> None:
    """GD-01"""
    confirming(outside, page, **{"Sec-GPC": "1"})
    assert Choice.objects.get(kind="sale").value == "off"


def test_the_same_address_three_times_and_no_more_mail(outside: Client, page: str) -> None:
    for _ in range(5):
        assert outside.post(page, FILLED).status_code == 200
    assert Message.objects.count() == 3
    assert Contact.objects.count() == 1


def test_a_network_is_slowed_down(outside: Client, page: str) -> None:
    answers = [
        outside.post(page, FILLED | {"email": f"a{at}@example.org"}).status_code for at in range(21)
    ]
    assert answers == [200] * 20 + [429]


@pytest.mark.parametrize("given", [{"agree": ""}, {"email": "nobody"}, {"email": ""}])
def test_what_is_wrong_is_said_and_nothing_is_kept(
    outside: Client, page: str, given: dict[str, str]
) -> None:
    assert outside.post(page, FILLED | given).status_code == 422
    assert not SignUp.objects.exists()


def test_only_the_sites_of_the_form_may_frame_it_and_no_cookie_is_set(
    outside: Client, page: str
) -> None:
    answer = Client(enforce_csrf_checks=True).post(page, FILLED)
    assert "frame-ancestors https://www.clinic.example;" in answer["Content-Security-Policy"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not answer.cookies


def test_it_speaks_spanish_and_binds_the_spanish_words(outside: Client, page: str) -> None:
    """AC-02"""
    assert "Quiero el boletín." in outside.get(page + "?lang=es").content.decode()
    outside.post(page, FILLED | {"lang": "es"})
    assert SignUp.objects.get().form_version.language == "es"


@pytest.mark.parametrize("site", ["http://a.example", "*", "https://*.example", "a.example"])
def test_a_pattern_is_no_site(site: str) -> None:
    with pytest.raises(ConsentInvalid):
        sign_ups.origin(site)


def test_an_archived_form_answers_no_more(outside: Client, form: SignUpForm, page: str) -> None:
    sign_ups.archive(form, now=LATER)
    assert outside.get(page).status_code == outside.post(page, FILLED).status_code == 404
    assert not Authorization.objects.exists()
